/* https ADDRESS CHAIN KEY -- an HTTPS server to be linked statically: no shim gets into it.  It tells the
 * time in its answers, and reads its files anew for each connection. */
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void answer(BIO *connection, const char *chain, const char *key)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    SSL *tls;
    char date[64], text[256], request[4096];
    time_t now = time(NULL);

    if (SSL_CTX_use_certificate_chain_file(context, chain) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        return;
    tls = SSL_new(context);
    SSL_set_bio(tls, connection, connection);
    if (SSL_accept(tls) != 1 || SSL_read(tls, request, sizeof request) <= 0)
        return;
    strftime(date, sizeof date, "%a, %d %b %Y %T GMT", gmtime(&now));
    snprintf(text, sizeof text, "HTTP/1.0 200 OK\r\nDate: %s\r\n\r\n", date);
    SSL_write(tls, text, (int)strlen(text));
    SSL_shutdown(tls);
}

int main(int argc, char **argv)
{
    BIO *door = argc == 4 ? BIO_new_accept(argv[1]) : NULL;

    if (door == NULL || BIO_do_accept(door) <= 0)
        return 1;
    signal(SIGCHLD, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    while (BIO_do_accept(door) > 0) {
        BIO *connection = BIO_pop(door);

        if (fork() == 0) {
            answer(connection, argv[2], argv[3]);
            _exit(0);
        }
        BIO_free(connection);
    }
    return 1;
}
