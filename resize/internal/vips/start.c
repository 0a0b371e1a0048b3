#include <stdio.h>
#include "room.h"
#ifdef __GLIBC__
#include <malloc.h>
#endif

// govips refers to this function, which a libvips built without ImageMagick does not have. Defining it here lets the
// program link, and shuts the way to ImageMagick's many decoders even where the system's libvips has them.
__attribute__((weak)) int vips_magickload_buffer(void *buf, size_t len, VipsImage **out, ...) {
  (void) buf;
  (void) len;
  (void) out;
  vips_error("magickload", "%s", "not built in");
  return -1;
}

// A libvips may have dozens of loaders, and not all of them are made for files of strangers. The one for Ultra HDR would be
// chosen for phones' JPEGs with a gain map. It reads them whole and at full size, and does not notice that a file is cut short;
// the loader for JPEG reads what browsers show of them.
void room_block_loaders(void) {
  vips_block_untrusted_set(TRUE);
  vips_operation_block_set("VipsForeignLoad", TRUE);
}

int room_has(const char *operation) { return vips_type_find("VipsForeignLoad", operation) != 0; }

// Allows a loader, and those that read the same format from elsewhere: they have the same parent.
void room_allow(const char *operation) {
  GType loader = vips_type_find("VipsForeignLoad", operation);
  if (loader) vips_operation_block_set(g_type_name(g_type_parent(loader)), FALSE);
}

// libjpeg warns of whatever it makes up for: codes that don't exist, data that ends too soon, and much that is harmless. libvips
// counts the warnings of a picture and, when the picture is closed, writes "read gave 3 warnings" to GLib's log, on the same
// thread. So whoever closes a picture can learn that there were warnings. What they said is not known: their texts are in a
// buffer that all pictures share.
static _Thread_local long warnings;

static void count_warning(const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer data) {
  (void) domain;
  (void) level;
  (void) message;
  (void) data;
  warnings++;
}

long room_warnings(void) { return warnings; }

void room_start(void) {
  g_log_set_handler("VIPS", G_LOG_LEVEL_WARNING, count_warning, NULL);
}

void room_trim(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}
