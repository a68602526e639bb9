/* doctor.h -- what a clock can do for a program, and what time a process really reads.
 *
 * The time is not computed but asked for: the process is stopped, made to call its own clock_gettime
 * where its vDSO's symbols lead, and let go (tracee.h).
 */
#ifndef FAKETIME_DOCTOR_H
#define FAKETIME_DOCTOR_H

#include <stdio.h>
#include <sys/types.h>

#include "testbed/wire/error.h"

/* Tells on `out` what can be told of a command before it runs, and what time it reads on a clock (trial.h).  1: it
 * would not follow one; -1 with one line where there is no such command, or it cannot be tried. */
int doctor_command(const char *command, FILE *out, struct error *e);

/* The same of a process, and the time that it reads.  1: it reads another time than its clock tells; -1 with
 * one line where it cannot be asked. */
int doctor_process(pid_t pid, FILE *out, struct error *e);

#endif
