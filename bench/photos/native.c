#include <vips/vips.h>

// govips refers to this function, which a libvips built without ImageMagick does not have. Weak, so that a program
// that brings its own definition, as package resize does, still links.
__attribute__((weak)) int vips_magickload_buffer(void *buf, size_t len, VipsImage **out, ...) {
  (void) buf;
  (void) len;
  (void) out;
  vips_error("magickload", "%s", "not built in");
  return -1;
}
