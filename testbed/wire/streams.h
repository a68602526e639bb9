/* streams.h -- standard streams that our starter closed, or led to where nothing can be written. */
#ifndef WIRE_STREAMS_H
#define WIRE_STREAMS_H

/* The first call of a main: opens those of the three that are closed, until the next exec, so that no file of
 * ours takes their place and gets what is meant for people.  Writing to one of them fails. */
void streams_fill(void);

/* The last call of a main: writes out what stdout still holds, and returns `status`.  Where that is 0 or 1
 * and something was lost, says so on stderr in one line of `program`'s, and returns STATUS_ENVIRONMENT.  A reader
 * that has gone had seen enough. */
int streams_end(const char *program, int status);

#endif
