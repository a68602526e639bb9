/* show.h -- what is in a file: certificates, CRLs, an OCSP response; for people, or as JSON.
 *
 * The file may come from anywhere.  What can be read of it is shown; what cannot is said.
 */
#ifndef FAKECA_SHOW_H
#define FAKECA_SHOW_H

#include <jansson.h>
#include <stdio.h>

#include "testbed/wire/error.h"

/* An array with one object for each thing in a PEM or DER file, or in a bundle's chain.pem:
 * {"kind": "certificate" | "crl" | "ocsp" | "damaged", ...}; NULL with *e where there is none. */
json_t *show_file(const char *path, struct error *e);
/* One such array, as indented text. */
void show_print(const json_t *things, FILE *out);

#endif
