#include "fakeca/serve_plain.h"

#include <string.h>

#include "fakeca/serve.h"

void serve_plain_answer(void *context, const struct http_request *request,
                        struct http_answer *answer)
{
    static const char words[] = "there is nothing here\n";

    (void)context;
    (void)request;
    answer->status = 404;
    http_answer_copy(answer, "text/plain", words, sizeof words - 1);
}
