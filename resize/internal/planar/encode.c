#include "planar.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jpeglib.h>

typedef struct {
  struct jpeg_error_mgr errors;
  jmp_buf failed;
  Fault *fault;
} Errors;

static void fail(j_common_ptr common) {
  Errors *errors = (Errors *) common->err;
  errors->fault->code = errors->errors.msg_code;
  errors->errors.format_message(common, errors->fault->text);
  longjmp(errors->failed, 1);
}

static void say_nothing(j_common_ptr common) {
  (void) common;
}

// The number of rows of an MCU: of 4:2:0, or of grey.
static int lines(const Picture *picture) {
  return picture->channels == 1 ? DCTSIZE : 2 * DCTSIZE;
}

// Returns how many rows of MCUs the picture has.
int planar_rows(const Picture *picture) {
  return (picture->height + lines(picture) - 1) / lines(picture);
}

#define PIECE 8 // MCUs in a row

// Numbers from 0 on to below all, spread as evenly as can be however many there are: the multiples of the golden ratio,
// modulo 1 (D. Knuth, The Art of Computer Programming, 6.4, theorem S).
static size_t spread(uint32_t number, size_t all) {
  return (uint64_t) (uint32_t) (number * UINT32_C(2654435769)) * all >> 32;
}

// Makes a picture of so many rows of MCUs, out of pieces of another one from anywhere between its top and its bottom. Returns
// 0 if there is no memory for it; its planes are to be freed.
int planar_sample(const Picture *from, int rows, Picture *to) {
  *to = *from;
  to->height = rows * lines(from);
  int all = planar_rows(from), pieces = (from->width - 1) / (PIECE * lines(from)) + 1;
  int planes = from->interleaved ? 1 : from->channels;
  for (int i = 0; i < planes; i++) to->planes[i].samples = NULL;
  for (int i = 0; i < planes; i++) {
    const Plane *plane = &from->planes[i];
    size_t count = i ? DCTSIZE : lines(from), piece = PIECE * count * (from->interleaved ? from->channels : 1);
    to->planes[i].height = rows * count;
    if (!planar_allocate_plane(&to->planes[i], to->planes[i].height)) return 0;
    for (size_t y = 0; y < rows * count; y++) {
      for (int x = 0; x < pieces; x++) {
        size_t row = spread(y / count * pieces + x, all) * count + y % count;
        if (row >= (size_t) plane->height) row = plane->height - 1;
        size_t rest = plane->stride - x * piece;
        memcpy(to->planes[i].samples + plane->stride * y + x * piece, plane->samples + plane->stride * row + x * piece, piece < rest ? piece : rest);
      }
    }
  }
  return 1;
}

// Writes one of the rows of MCUs. Below the picture, its last row of samples is repeated.
static void write_row(struct jpeg_compress_struct *jpeg, const Picture *picture, int row) {
  JSAMPROW rows[3][2 * DCTSIZE];
  JSAMPARRAY arrays[3] = {rows[0], rows[1], rows[2]};
  int planes = picture->interleaved ? 1 : picture->channels;
  for (int i = 0; i < planes; i++) {
    const Plane *plane = &picture->planes[i];
    int count = i ? DCTSIZE : lines(picture);
    for (int y = 0; y < count; y++) {
      int at = row * count + y, last = plane->height - 1;
      rows[i][y] = plane->samples + plane->stride * (at < last ? at : last);
    }
  }
  if (picture->interleaved) jpeg_write_scanlines(jpeg, rows[0], lines(picture));
  else jpeg_write_raw_data(jpeg, arrays, lines(picture));
}

static JHUFF_TBL **slot(struct jpeg_compress_struct *jpeg, int table) {
  return table < AC ? &jpeg->dc_huff_tbl_ptrs[table - DC] : &jpeg->ac_huff_tbl_ptrs[table - AC];
}

// Writes a JPEG of 4:2:0, or a grey one. The Huffman codes are the tables, if they are known; else they are those that suit
// the picture best, and become known, which takes a second pass. Returns 0 if there is no memory for it; file is to be freed.
int planar_encode(const Picture *picture, int quality, Codes tables[TABLES], int known, unsigned char **file, unsigned long *size, Fault *fault) {
  struct jpeg_compress_struct jpeg = {0};
  Errors errors = {.fault = fault};
  jpeg.err = jpeg_std_error(&errors.errors);
  errors.errors.error_exit = fail;
  errors.errors.output_message = say_nothing;
  if (setjmp(errors.failed)) {
    if (jpeg.dest) jpeg.dest->term_destination(&jpeg); // file is not told before of a buffer that has grown
    jpeg_destroy_compress(&jpeg);
    return 0;
  }
  jpeg_create_compress(&jpeg);
  jpeg_mem_dest(&jpeg, file, size);
  jpeg.image_width = picture->width;
  jpeg.image_height = picture->height;
  jpeg.input_components = picture->channels;
  jpeg.in_color_space = picture->channels == 1 ? JCS_GRAYSCALE : picture->interleaved ? JCS_RGB : JCS_YCbCr;
  jpeg_set_defaults(&jpeg); // 4:2:0, for what has colors
  jpeg_set_quality(&jpeg, quality, TRUE);
  jpeg.raw_data_in = !picture->interleaved;
  jpeg.optimize_coding = !known;
  for (int i = 0; known && i < TABLES; i++) {
    memcpy((*slot(&jpeg, i))->bits, tables[i].counts, sizeof(tables[i].counts));
    memcpy((*slot(&jpeg, i))->huffval, tables[i].symbols, sizeof(tables[i].symbols));
  }
  jpeg_start_compress(&jpeg, TRUE);
  for (int i = 0; i < planar_rows(picture); i++) write_row(&jpeg, picture, i);
  jpeg_finish_compress(&jpeg);
  for (int i = 0; !known && i < TABLES; i++) {
    memcpy(tables[i].counts, (*slot(&jpeg, i))->bits, sizeof(tables[i].counts));
    memcpy(tables[i].symbols, (*slot(&jpeg, i))->huffval, sizeof(tables[i].symbols));
  }
  jpeg_destroy_compress(&jpeg);
  return 1;
}
