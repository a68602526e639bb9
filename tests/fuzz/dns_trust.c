/* A signed answer that somebody alters on its way: what is believed then is what was signed.
 *
 * The first octet chooses the answer, or none: the rest is a packet then.  Else each four are an edit: what is done,
 * where (two octets), and the octet it is done with.
 */
#include <arpa/inet.h>
#include <string.h>

#include "fakeca/dns_answer.h"
#include "fakeca/dns_trust.h"
#include "fakeca/key.h"
#include "fakeca/lookup.h"
#include "tests/fuzz/must.h"

#define AT        1795000000
#define ID        7
#define A         1
#define MOST      2048
#define QUESTIONS (sizeof questions / sizeof questions[0])

struct packet {
    size_t length;
    unsigned char octets[MOST];
};

static const struct {
    const char *name;
    unsigned type;
} questions[] = {
    {"shop.test",    A  },
    {"www.test",     A  },
    {"shop.test",    28 },
    {"none.test",    A  },
    {"text.test",    16 },
    {"shop.test",    257},
    {"other.test",   A  },
    {"far.www.test", A  }
};

static struct dns_signer *signer;
static struct packet answers[QUESTIONS];

static int64_t now(void *context)
{
    (void)context;
    return AT;
}

static void answer(const struct dns_zone *zone, size_t i)
{
    unsigned char query[512];
    ssize_t length = question_write(questions[i].name, questions[i].type, ID, true, query);
    struct dns_reply reply;
    struct error e;

    must(dns_answer(zone, query, (size_t)length, DNS_TCP, (struct dns_signing){signer, AT}, NULL,
                    &reply, &e) == 0,
         e.text);
    must(reply.length <= MOST, "an answer that is too long");
    answers[i].length = reply.length;
    memcpy(answers[i].octets, reply.bytes, reply.length);
    free(reply.bytes);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char *const lines[] = {
        "shop.test. A 127.0.0.1",        "www.test. CNAME shop.test.",
        "far.www.test. CNAME www.test.", "text.test. TXT \"one\" \"two\"",
        "other.test. A 127.0.0.2",
    };
    struct error e;
    struct dns_zone *zone = dns_zone_new(&e);

    (void)argc;
    (void)argv;
    must(zone != NULL, "no zone");
    signer = dns_signer_new(key_make(key_kind_named("p256", &e), &e), &e);
    must(signer != NULL && dns_signer_enter(signer, zone, &e) == 0, "no signer");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        must(dns_zone_add(zone, lines[i], &e) == 0, e.text);
    for (size_t i = 0; i < QUESTIONS; i++)
        answer(zone, i);
    dns_zone_free(zone);
    return 0;
}

static void edit(struct packet *packet, const unsigned char how[4])
{
    size_t at = ((size_t)how[1] << 8 | how[2]) % packet->length;
    unsigned char *there = packet->octets + at;

    if (how[0] % 3 == 0)
        *there ^= how[3];
    else if (how[0] % 3 == 1 && packet->length < MOST) {
        memmove(there + 1, there, packet->length++ - at);
        *there = how[3];
    } else if (packet->length > 1)
        memmove(there, there + 1, --packet->length - at);
}

static void believed(const struct packet *packet, size_t question)
{
    struct found found;

    memset(&found, 0, sizeof found);
    if (questions[question].type != A || strcmp(questions[question].name, "other.test") == 0 ||
        reply_read(packet->octets, packet->length, A, ID, &found) < 0)
        return;
    for (size_t i = 0; i < found.count; i++) {
        const struct sockaddr_in *one = (const struct sockaddr_in *)&found.addresses[i];

        must(one->sin_addr.s_addr == htonl(INADDR_LOOPBACK), "an address that nobody signed");
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct dns_trust trust = {.key = dns_signer_key(signer), .now = now};
    size_t question = size == 0 ? 0 : data[0] % QUESTIONS;
    struct packet packet = answers[question];
    char why[DNS_TRUST_TEXT] = "";

    if (size > 0 && data[0] >= 128) {
        packet.length = size - 1 < MOST ? size - 1 : MOST;
        memcpy(packet.octets, data + 1, packet.length);
    } else
        for (size_t i = 1; i + 4 <= size; i += 4)
            edit(&packet, data + i);
    if (dns_trust_check(&trust, packet.octets, packet.length, questions[question].name,
                        questions[question].type, why) == 0)
        believed(&packet, question);
    else
        must(*why != '\0', "a refusal without a word");
    return 0;
}
