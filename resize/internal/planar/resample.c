#include "planar.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <string.h>
#include <zimg.h>

#define HUGE_PAGE (2 << 20)

int planar_allocate_plane(Plane *plane, int rows) {
  plane->stride = plane->stride ? plane->stride : ((size_t) plane->width + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  size_t size = plane->stride * rows, page = size < HUGE_PAGE ? ALIGNMENT : HUGE_PAGE;
  plane->samples = aligned_alloc(page, (size + page - 1) / page * page);
#ifdef MADV_HUGEPAGE
  // With pages of 4 KB, to get them takes as long as half of the resampling. Where there are no others it fails, and that's that.
  if (plane->samples && page == HUGE_PAGE) (void) madvise(plane->samples, size, MADV_HUGEPAGE);
#endif
  return plane->samples != NULL;
}

void planar_free_plane(Plane *plane) {
  free(plane->samples);
  plane->samples = NULL;
}

// Repeats the last column of a plane to the end of its block of 8 × 8, of which an encoder takes all.
static void pad(const Plane *plane) {
  int rest = -plane->width & 7;
  for (int y = 0; rest && y < plane->height; y++) {
    unsigned char *end = plane->samples + plane->stride * y + plane->width;
    memset(end, end[-1], rest);
  }
}

// A graph of zimg resamples across × down samples from (left, top) on, fractions included, of a plane of width × height
// to a plane of to_width × to_height. It may be used by several threads at once. NULL: there is no memory for it.
//
// Each plane is a grey picture to zimg, and where its samples lie is computed elsewhere: zimg would know of 4:2:0, but not of
// planes that were shrunk. It is not allowed its vectors of 64 bytes: with them, version 3.0.4 gets single columns wrong at
// some dimensions, and gains next to nothing.
Graph *planar_new_graph(int width, int height, double left, double top, double across, double down, int to_width, int to_height) {
  zimg_image_format from, to;
  zimg_graph_builder_params params;
  zimg_image_format_default(&from, ZIMG_API_VERSION);
  zimg_graph_builder_params_default(&params, ZIMG_API_VERSION);
  from.pixel_type = ZIMG_PIXEL_BYTE;
  from.color_family = ZIMG_COLOR_GREY;
  from.pixel_range = ZIMG_RANGE_FULL;
  to = from;
  from.width = width;
  from.height = height;
  from.active_region.left = left;
  from.active_region.top = top;
  from.active_region.width = across;
  from.active_region.height = down;
  to.width = to_width;
  to.height = to_height;
  params.resample_filter = ZIMG_RESIZE_LANCZOS;
  params.filter_param_a = 3;
  params.cpu_type = ZIMG_CPU_AUTO;
  return zimg_filter_graph_build(&from, &to, &params);
}

void planar_free_graph(Graph *graph) {
  zimg_filter_graph_free(graph);
}

// Returns 0 if there is no memory for it.
int planar_resample(const Graph *graph, const Plane *from, Plane *to) {
  size_t size;
  if (zimg_filter_graph_get_tmp_size(graph, &size)) return 0;
  void *buffer = aligned_alloc(ALIGNMENT, (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
  if (!buffer) return 0;
  zimg_image_buffer_const in = {ZIMG_API_VERSION};
  zimg_image_buffer out = {ZIMG_API_VERSION};
  in.plane[0].data = from->samples;
  in.plane[0].stride = from->stride;
  in.plane[0].mask = ZIMG_BUFFER_MAX;
  out.plane[0].data = to->samples;
  out.plane[0].stride = to->stride;
  out.plane[0].mask = ZIMG_BUFFER_MAX;
  int failed = zimg_filter_graph_process(graph, &in, &out, buffer, NULL, NULL, NULL, NULL);
  free(buffer);
  if (!failed) pad(to);
  return !failed;
}

// Of the blocks that are turned at once both sides fit in the first-level cache.
#define TURNED 64

// Fills to, whose samples are those of from, mirrored in either direction, and then with rows and columns exchanged.
void planar_turn(const Plane *from, Plane *to, int mirror_x, int mirror_y, int transpose) {
  ptrdiff_t across = transpose ? from->stride : 1, down = transpose ? 1 : from->stride;
  const unsigned char *first = from->samples;
  if (mirror_x) first += from->width - 1;
  if (mirror_y) first += from->stride * (from->height - 1);
  if (transpose ? mirror_y : mirror_x) across = -across;
  if (transpose ? mirror_x : mirror_y) down = -down;
  for (int top = 0; top < to->height; top += TURNED) {
    int bottom = top + TURNED < to->height ? top + TURNED : to->height;
    for (int left = 0; left < to->width; left += TURNED) {
      int right = left + TURNED < to->width ? left + TURNED : to->width;
      for (int y = top; y < bottom; y++) {
        const unsigned char *sample = first + y * down + left * across;
        unsigned char *row = to->samples + y * to->stride;
        for (int x = left; x < right; x++, sample += across) row[x] = *sample;
      }
    }
  }
  pad(to);
}

void planar_fill(const Plane *plane, unsigned char level) {
  memset(plane->samples, level, plane->stride * plane->height);
}

// Puts a plane into a larger one, of which the rest is around. A last sample of which the picture covers only half is half of
// each, unless the larger one ends there too.
void planar_put(const Plane *from, Plane *to, int left, int top, unsigned char around) {
  int half_x = from->across < from->width && left + from->across < to->across;
  int half_y = from->down < from->height && top + from->down < to->down;
  for (int y = 0; y < from->height; y++) {
    unsigned char *row = to->samples + to->stride * (top + y) + left;
    memcpy(row, from->samples + from->stride * y, from->width);
    if (half_x) row[from->width - 1] = (row[from->width - 1] + around + 1) / 2;
    if (half_y && y == from->height - 1)
      for (int x = 0; x < from->width; x++) row[x] = (row[x] + around + 1) / 2;
  }
}

static unsigned char byte(int fixed) {
  int value = (fixed + 0x8000) >> 16;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

// Converts to RGB as JFIF has it, in units of 1/65536. Chroma of fewer samples is repeated.
void planar_to_rgb(const Plane planes[3], int width, int height, unsigned char *to) {
  int halved_x = planes[1].width < planes[0].width, halved_y = planes[1].height < planes[0].height;
  for (int y = 0; y < height; y++) {
    const unsigned char *luma = planes[0].samples + planes[0].stride * y;
    const unsigned char *blue = planes[1].samples + planes[1].stride * (y >> halved_y);
    const unsigned char *red = planes[2].samples + planes[2].stride * (y >> halved_y);
    for (int x = 0; x < width; x++, to += 3) {
      int l = luma[x] << 16, cb = blue[x >> halved_x] - 128, cr = red[x >> halved_x] - 128;
      to[0] = byte(l + 91881 * cr);
      to[1] = byte(l - 22554 * cb - 46802 * cr);
      to[2] = byte(l + 116130 * cb);
    }
  }
}
