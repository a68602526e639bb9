/* fields.h -- JSON objects read by the same tables as command lines (options.h).
 *
 * A row named "min-version" is the field "min_version"; a flag "no-verify" is the field
 * "verify", turned round.  Reading is strict: an unknown field, a wrong type or a bad value is
 * one line in *e, which names the field and the nearest right word.  `null` is a field
 * that was not given.  Texts are borrowed from the object.
 */
#ifndef CLIENTS_FIELDS_H
#define CLIENTS_FIELDS_H

#include <jansson.h>

#include "testbed/wire/options.h"

int fields_read(const struct option_row *rows, json_t *object, void *into, struct error *e);

#endif
