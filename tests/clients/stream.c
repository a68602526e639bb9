/* The bytes under a session: what a peer has said is read, whatever became of what was sent to it. */
#include "clients/stream.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>

/* A stream, and the descriptor of its peer. */
static struct stream connected(int *peer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct stream stream = {.fd = socket(AF_INET, SOCK_STREAM, 0)};

    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(connect(stream.fd, (struct sockaddr *)&address, size), 0);
    *peer = accept(listener, NULL, NULL);
    assert_true(*peer >= 0);
    close(listener);
    return stream;
}

static void says_and_resets(int peer, const char *words)
{
    const struct linger at_once = {.l_onoff = 1};

    assert_int_equal(send(peer, words, strlen(words), 0), strlen(words));
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(peer);
}

static void wait_for_the_reset(const struct stream *stream)
{
    struct pollfd gone = {.fd = stream->fd, .events = 0};

    assert_int_equal(poll(&gone, 1, 30000), 1);
    assert_true(gone.revents & (POLLERR | POLLHUP));
}

static void last_words_are_read_before_the_reset(void **state)
{
    char words[16];
    int peer;
    struct stream stream = connected(&peer);

    (void)state;
    says_and_resets(peer, "no");
    wait_for_the_reset(&stream);
    for (int i = 0; i < 3; i++)
        assert_int_equal(stream_send(&stream, "more", 4), 4);
    assert_int_equal(stream_receive(&stream, words, sizeof words), 2);
    assert_memory_equal(words, "no", 2);
    for (int i = 0; i < 3; i++) {
        errno = 0;
        assert_int_equal(stream_receive(&stream, words, sizeof words), -1);
        assert_true(errno == ECONNRESET || errno == EPIPE);
    }
    assert_true(stream_was_reset(&stream));
    assert_false(stream.ended);
    close(stream.fd);
}

static void a_hang_up_is_no_reset(void **state)
{
    char words[16];
    int peer;
    struct stream stream = connected(&peer);

    (void)state;
    close(peer);
    assert_int_equal(stream_receive(&stream, words, sizeof words), 0);
    assert_true(stream.ended);
    assert_false(stream_was_reset(&stream));
    close(stream.fd);
}

static void who_spoke_last_is_known(void **state)
{
    char words[16];
    int peer;
    struct stream stream = connected(&peer);

    (void)state;
    assert_false(stream.unanswered);
    assert_int_equal(stream_send(&stream, "well?", 5), 5);
    assert_true(stream.unanswered);
    assert_int_equal(send(peer, "well", 4, 0), 4);
    assert_int_equal(stream_receive(&stream, words, sizeof words), 4);
    assert_false(stream.unanswered);
    close(peer);
    close(stream.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(last_words_are_read_before_the_reset),
        cmocka_unit_test(a_hang_up_is_no_reset),
        cmocka_unit_test(who_spoke_last_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
