/* serve_plain.h -- what is served over plain HTTP: OCSP, issuers' certificates, CRLs. */
#ifndef FAKECA_SERVE_PLAIN_H
#define FAKECA_SERVE_PLAIN_H

#include "fakeca/http_answer.h"
#include "fakeca/http_request.h"

/* For http_server.h: `serve` is a struct serve. */
void serve_plain_answer(void *serve, const struct http_request *request,
                        struct http_answer *answer);

#endif
