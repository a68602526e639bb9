/* host.h -- what the vocabulary needs of the machine and Lua's own libraries lack.
 *
 * As a Lua module.  Calls that can fail return nil and one line:
 *     host.duration(text)        seconds;   host.moment(text, now)   Unix seconds
 *     host.show_duration(s)      "90d";     host.show_moment(s)      "2027-03-01T00:00:00Z"
 *     host.nearest(word, list)   the likeliest intended word, or nil
 *     host.address(text)         host, port, is it loopback
 *     host.make_directory(path, mode)       its parents must exist
 *     host.remove_tree(path)
 *     host.write(path, text, mode)          atomically: a new file, renamed into place
 *     host.link(to, path)        a symbolic link, renamed into place
 *     host.kind_of(path)         what it is: "file", "directory" or "other"
 *     host.files_below(directory, suffix)   files of such a name in it, anywhere; paths.h
 *     host.read(path)            the text of a regular file of at most 16 MiB; never waits
 *     host.append(path)          an emptied file for us alone that each :write(text) extends; errors are raised
 *     host.lock(path)            creates the file and holds flock(2) on it until exit
 *     host.free_port()           a TCP port nobody listens on at 127.0.0.1 right now
 *     host.is_terminal(fd)       host.columns(fd)     host.pid()     host.uid()
 *     host.next_signal()         waits (in a flow) for SIGINT, SIGTERM or SIGHUP; its number
 *     host.clock(path)           a new clock page there: c:now() c:set(s) c:advance(s)
 *                                c:follow(leader, skew) c:rate(x, monotonic clocks too)
 *     host.FASTEST               the highest rate
 */
#ifndef TESTBED_HOST_H
#define TESTBED_HOST_H

#include <lua.h>

int host_open(lua_State *L); /* leaves the module on the stack; after flow_open */

#endif
