#include "room.h"

// Options are given as text, as on libvips's own command line. Nothing is cached, since no picture comes twice.
int room_load(const char *loader, const char *options, VipsSource *source, VipsImage **out) {
  VipsOperation *load = vips_operation_new(loader);
  if (!load) return -1;
  int failed = vips_object_set(VIPS_OBJECT(load), "source", source, NULL) ||
    vips_object_set_from_string(VIPS_OBJECT(load), options) || vips_object_build(VIPS_OBJECT(load));
  if (!failed) g_object_get(load, "out", out, NULL);
  vips_object_unref_outputs(VIPS_OBJECT(load));
  g_object_unref(load);
  return failed;
}

static void free_samples(VipsImage *image, void *samples) {
  (void) image;
  g_free(samples);
}

// Computes the pixels of in, into memory of the picture that is returned, which has nothing else of in. Returns NULL if they
// can't be computed.
VipsImage *room_computed(VipsImage *in) {
  size_t size;
  void *samples = vips_image_write_to_memory(in, &size);
  if (!samples) return NULL;
  VipsImage *out = vips_image_new_from_memory(samples, size, in->Xsize, in->Ysize, in->Bands, in->BandFmt);
  if (!out) {
    g_free(samples);
    return NULL;
  }
  out->Type = in->Type;
  g_signal_connect(out, "postclose", G_CALLBACK(free_samples), samples);
  return out;
}

VipsImage *room_from_memory(const void *samples, size_t size, int width, int height, int bands) {
  return vips_image_new_from_memory_copy(samples, size, width, height, bands, VIPS_FORMAT_UCHAR);
}

int room_scaled(VipsImage *in, double horizontally, double vertically, VipsImage **out) {
  return vips_resize(in, out, horizontally, "vscale", vertically, "kernel", VIPS_KERNEL_LANCZOS3, NULL);
}

int room_cut(VipsImage *in, int left, int top, int width, int height, VipsImage **out) {
  return vips_extract_area(in, out, left, top, width, height, NULL);
}

int room_padded(VipsImage *in, int left, int top, int width, int height, const double *color, int bands, VipsImage **out) {
  VipsArrayDouble *background = vips_array_double_new(color, bands);
  int failed = vips_embed(in, out, left, top, width, height, "extend", VIPS_EXTEND_BACKGROUND, "background", background, NULL);
  vips_area_unref(VIPS_AREA(background));
  return failed;
}

// The part that is cut out knows where it was.
int room_salient(VipsImage *in, VipsInteresting rule, int width, int height, int *left, int *top) {
  VipsImage *part = NULL;
  if (vips_smartcrop(in, &part, width, height, "interesting", rule, NULL)) return -1;
  *left = -part->Xoffset;
  *top = -part->Yoffset;
  g_object_unref(part);
  return 0;
}

int room_extended(VipsImage *in, int width, int height, VipsImage **out) {
  return vips_embed(in, out, 0, 0, width, height, "extend", VIPS_EXTEND_COPY, NULL);
}

int room_stacked(VipsImage **in, int n, VipsImage **out) { return vips_arrayjoin(in, out, n, "across", 1, NULL); }

int room_without_alpha(VipsImage *in, VipsImage **out) {
  return vips_copy(in, out, "interpretation", VIPS_INTERPRETATION_MULTIBAND, NULL);
}

int room_profiled(VipsImage *in, const char *fallback, VipsImage **out) {
  int depth = in->BandFmt == VIPS_FORMAT_UCHAR ? 8 : 16;
  return vips_icc_transform(in, out, "srgb", "input_profile", fallback, "intent", VIPS_INTENT_PERCEPTUAL, "depth", depth, "embedded", TRUE, NULL);
}

int room_converted(VipsImage *in, VipsInterpretation space, VipsImage **out) { return vips_colourspace(in, out, space, NULL); }

int room_first_channel(VipsImage *in, VipsImage **out) {
  VipsImage *parts[3] = {NULL};
  VipsInterpretation grey = in->BandFmt == VIPS_FORMAT_UCHAR ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_GREY16;
  int failed = vips_extract_band(in, &parts[0], 0, NULL);
  if (!failed && vips_image_hasalpha(in))
    failed = vips_extract_band(in, &parts[1], in->Bands - 1, NULL) || vips_bandjoin2(parts[0], parts[1], &parts[2], NULL);
  failed = failed || vips_copy(parts[2] ? parts[2] : parts[0], out, "interpretation", grey, NULL);
  for (int i = 0; i < 3; i++)
    if (parts[i]) g_object_unref(parts[i]);
  return failed;
}

int room_widened(VipsImage *in, VipsImage **out) {
  double step = in->BandFmt == VIPS_FORMAT_UCHAR ? 1 : 256, most = in->BandFmt == VIPS_FORMAT_UCHAR ? 255 : 65535;
  double scale[] = {most / (219 * step), 1, 1, 1}, offset[] = {-16 * step * scale[0] + 0.5, 0, 0, 0}; // a cast cuts off
  VipsImage *wide = NULL;
  int failed = vips_linear(in, &wide, scale, offset, in->Bands, NULL) || vips_cast(wide, out, in->BandFmt, NULL);
  if (wide) g_object_unref(wide);
  return failed;
}

int room_cast(VipsImage *in, VipsBandFormat format, VipsImage **out) { return vips_cast(in, out, format, NULL); }

int room_turned(VipsImage *in, int orientation, VipsImage **out) {
  VipsImage *lying = NULL;
  int failed = vips_copy(in, &lying, NULL);
  if (!failed) {
    vips_image_set_int(lying, VIPS_META_ORIENTATION, orientation);
    failed = vips_autorot(lying, out, NULL);
    g_object_unref(lying);
  }
  return failed;
}

// The first pixel of a picture that is decoded as a whole takes as long as all of them.
int room_decode(VipsImage *in) {
  double *pixel = NULL;
  int n, failed = vips_getpoint(in, &pixel, &n, 0, 0, NULL);
  g_free(pixel);
  return failed;
}

int room_drained(VipsImage *in) {
  double mean;
  return vips_avg(in, &mean, NULL);
}

int room_first_bands(VipsImage *in, int bands, VipsImage **out) { return vips_extract_band(in, out, 0, "n", bands, NULL); }

int room_recombined(VipsImage *in, const double *matrix, const double *add, VipsImage **out) {
  int bands = in->Bands;
  VipsImage *factors = vips_image_new_matrix_from_array(bands, bands, matrix, bands * bands), *mixed = NULL, *sum = NULL;
  double *ones = g_new(double, bands);
  for (int i = 0; i < bands; i++) ones[i] = 1;
  int failed = !factors || vips_recomb(in, &mixed, factors, NULL) || vips_linear(mixed, &sum, ones, add, bands, NULL) ||
    vips_cast(sum, out, in->BandFmt, NULL);
  g_free(ones);
  if (factors) g_object_unref(factors);
  if (mixed) g_object_unref(mixed);
  if (sum) g_object_unref(sum);
  return failed;
}
