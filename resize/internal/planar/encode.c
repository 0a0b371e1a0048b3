#include "planar.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
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

// Writes a JPEG of 4:2:0, or a grey one. Returns 0 if there is no memory for it; file is to be freed.
int planar_encode(const Plane planes[3], int channels, int width, int height, int quality, unsigned char **file, unsigned long *size, Fault *fault) {
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
  jpeg.image_width = width;
  jpeg.image_height = height;
  jpeg.input_components = channels;
  jpeg.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_YCbCr;
  jpeg_set_defaults(&jpeg); // 4:2:0, for what has colors
  jpeg_set_quality(&jpeg, quality, TRUE);
  jpeg.raw_data_in = TRUE;
  jpeg_start_compress(&jpeg, TRUE);
  JSAMPROW rows[3][2 * DCTSIZE];
  JSAMPARRAY arrays[3] = {rows[0], rows[1], rows[2]};
  int lines = jpeg.max_v_samp_factor * DCTSIZE;
  while (jpeg.next_scanline < jpeg.image_height) {
    for (int i = 0; i < channels; i++) {
      int count = jpeg.comp_info[i].v_samp_factor * DCTSIZE;
      int first = jpeg.next_scanline / lines * count, last = planes[i].height - 1;
      for (int row = 0; row < count; row++) { // the last one is repeated below
        rows[i][row] = planes[i].samples + planes[i].stride * (first + row < last ? first + row : last);
      }
    }
    jpeg_write_raw_data(&jpeg, arrays, lines);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  return 1;
}
