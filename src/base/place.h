/* base/place.h: what is installed beside this code, wherever that was moved to.
 *
 * This code lies in the program or in a shared library; what belongs to it is found from the folder of that file, so no
 * absolute path is built in.
 */
#ifndef SNC_BASE_PLACE_H
#define SNC_BASE_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* The first of DIR/name, DIR/../name and DIR/../../name that exists, into path; false when none does. */
bool snc_place_find(char *path, size_t size, const char *name);

/* The JSON file of a task or recipe: `what` is its kind, "task" of the folder tasks. A value with a '/' or that ends in .json is the
 * path itself; a name is looked for in the folders of SNC_CONFIG_DIR (parted by ':'), among the configs installed with this code,
 * then in ./configs. SNC_E_NOTFOUND; SNC_E_ARG: empty, or too long. */
enum { SNC_CONFIG_PATH = 4096 };
snc_err snc_config_find(char path[SNC_CONFIG_PATH], const char *what, const char *name_or_path) SNC_MUST_USE;

#endif
