/* protocol.h -- what the orchestrator and a stage's init say to each other.
 *
 * One SOCK_SEQPACKET socket, inherited by init as descriptor STAGE_FD.  One message
 * is one packet: a struct stage_message and then `length` bytes of text.
 *
 *   to init      SPAWN   id, text = "dir\0argc\0argv...\0env...\0", with the child's stdin,
 *                        stdout and stderr as SCM_RIGHTS
 *                SIGNAL  id, number = signal
 *   from init    READY   number = enum stage_isolation, text = what the kernel refused of it, or ""
 *                STARTED id, number = pid as init sees it
 *                EXITED  id, number = wait status, or -1 and text = why it never started
 *
 * When the socket closes, or the orchestrator dies in any way, init ends, and everything that
 * was ever started on the stage ends with it.
 */
#ifndef STAGE_PROTOCOL_H
#define STAGE_PROTOCOL_H

#include <stdint.h>

#define STAGE_FD           3
#define STAGE_MESSAGE_TEXT 65536

enum stage_verb { STAGE_SPAWN = 1, STAGE_SIGNAL, STAGE_READY, STAGE_STARTED, STAGE_EXITED };

enum stage_isolation {
    STAGE_SHARED,   /* no namespaces: process groups and a subreaper */
    STAGE_ISOLATED, /* own processes, mounts and network */
    STAGE_OUTWARD,  /* own processes and mounts, the machine's network: asked for by name */
};

struct stage_message {
    uint32_t verb;
    uint32_t id;
    int32_t number;
    uint32_t length; /* of the text that follows */
};

#endif
