#include "fakeca/serve_hole.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fakeca/dns_answer.h"

#define NOBODY 65534

static struct sockaddr_in in_the_hole(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

    assert_int_equal(inet_pton(AF_INET, DNS_HOLE, &address.sin_addr), 1);
    return address;
}

/* One that was free a moment ago. */
static unsigned free_port(void)
{
    struct sockaddr_in address = in_the_hole(0);
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    close(fd);
    return ntohs(address.sin_port);
}

/* What a connection meets: 0 it is answered; ECONNREFUSED; EINPROGRESS nothing so far. */
static int met_at(unsigned port)
{
    struct sockaddr_in address = in_the_hole(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int met = connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
    struct pollfd answer = {.fd = fd, .events = POLLOUT};
    socklen_t length = sizeof met;

    if (met == EINPROGRESS && poll(&answer, 1, 100) > 0)
        assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &met, &length), 0);
    close(fd);
    return met;
}

static void it_neither_answers_nor_refuses_until_it_is_closed(void **state)
{
    unsigned ports[HOLE_PORTS] = {free_port(), free_port()};
    struct hole hole = {0};
    struct error e;

    (void)state;
    for (int round = 0; round < 2; round++) {
        assert_int_equal(hole_open(&hole, ports, &e), 0);
        assert_int_equal(hole_open(&hole, ports, &e), 0);
        for (int i = 0; i < 3 * HOLE_PORTS; i++)
            assert_int_equal(met_at(ports[i % HOLE_PORTS]), EINPROGRESS);
        hole_close(&hole);
        hole_close(&hole);
        assert_int_equal(met_at(ports[0]), ECONNREFUSED);
        assert_int_equal(met_at(ports[1]), ECONNREFUSED);
    }
}

static void one_port_may_be_both(void **state)
{
    unsigned port = free_port(), ports[HOLE_PORTS] = {port, port};
    struct hole hole = {0};
    struct error e;

    (void)state;
    assert_int_equal(hole_open(&hole, ports, &e), 0);
    assert_int_equal(met_at(port), EINPROGRESS);
    hole_close(&hole);
}

static void an_ordinary_user_can_have_one(void **state)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        unsigned ports[HOLE_PORTS] = {free_port(), free_port()};
        struct hole hole = {0};
        struct error e;

        if (geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) < 0)
            _exit(2);
        _exit(hole_open(&hole, ports, &e) < 0 || met_at(ports[1]) != EINPROGRESS);
    }
    (void)state;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void a_port_that_is_taken_is_told(void **state)
{
    unsigned ports[HOLE_PORTS] = {free_port(), free_port()};
    struct hole first = {0}, second = {0};
    struct error e;

    (void)state;
    assert_int_equal(hole_open(&first, (const unsigned[HOLE_PORTS]){ports[1], ports[1]}, &e), 0);
    assert_int_equal(hole_open(&second, ports, &e), -1);
    assert_non_null(strstr(e.text, "packets cannot be swallowed: " DNS_HOLE ":"));
    assert_int_equal(met_at(ports[0]), ECONNREFUSED);
    hole_close(&first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_neither_answers_nor_refuses_until_it_is_closed),
        cmocka_unit_test(one_port_may_be_both),
        cmocka_unit_test(an_ordinary_user_can_have_one),
        cmocka_unit_test(a_port_that_is_taken_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
