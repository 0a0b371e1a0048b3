// What of this room's C its Go calls. Operations return 0, or something else where they fail, as libvips's own do.

#include <stdint.h>
#include <vips/vips.h>

void room_start(void);
void room_block_loaders(void);
void room_allow(const char *operation);
int room_has(const char *operation);
long room_warnings(void);
void room_trim(void);

VipsSource *room_source(uintptr_t reader);
int room_load(const char *loader, const char *options, VipsSource *source, VipsImage **out);
VipsImage *room_computed(VipsImage *in);
VipsImage *room_from_memory(const void *samples, size_t size, int width, int height, int bands);

int room_premultiplied(VipsImage *in, VipsImage **out);
int room_unpremultiplied(VipsImage *in, VipsBandFormat format, VipsImage **out);
int room_scaled(VipsImage *in, double horizontally, double vertically, VipsImage **out);
int room_cut(VipsImage *in, int left, int top, int width, int height, VipsImage **out);
int room_padded(VipsImage *in, int left, int top, int width, int height, const double *color, int bands, VipsImage **out);
int room_salient(VipsImage *in, VipsInteresting rule, int width, int height, int *left, int *top);
int room_extended(VipsImage *in, int width, int height, VipsImage **out);
int room_stacked(VipsImage **in, int n, VipsImage **out);
int room_without_alpha(VipsImage *in, VipsImage **out);
int room_profiled(VipsImage *in, const char *fallback, VipsImage **out);
int room_converted(VipsImage *in, VipsInterpretation space, VipsImage **out);
int room_first_channel(VipsImage *in, VipsImage **out);
int room_widened(VipsImage *in, VipsImage **out);
int room_cast(VipsImage *in, VipsBandFormat format, VipsImage **out);
int room_turned(VipsImage *in, int orientation, VipsImage **out);
int room_decode(VipsImage *in);
int room_drained(VipsImage *in);
int room_first_bands(VipsImage *in, int bands, VipsImage **out);
int room_recombined(VipsImage *in, const double *matrix, const double *add, VipsImage **out);
