/* version.h -- what every program answers to --version; a release is named in CHANGELOG.md, too. */
#ifndef WIRE_VERSION_H
#define WIRE_VERSION_H

#define VERSION "0.1"

#endif
