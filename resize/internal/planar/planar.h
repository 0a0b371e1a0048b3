// What the Go and the C files of this package share.

#include <stddef.h>

// At multiples of which planes and rows begin, in bytes: what zimg's vectors want, 32, and a line of a cache.
#define ALIGNMENT 64

// Plane is one channel of a picture: height rows of width samples, a row every stride bytes. In memory there is more, in
// rows of whole strides: whole blocks of 8 × 8.
typedef struct {
  unsigned char *samples;
  int width, height;
  size_t stride;
  // How many of the samples the picture covers. It ends within the last one where a shrunk side is no whole number.
  double across, down;
} Plane;

// Returns 0 if there is no memory for rows of the plane's width.
int planar_allocate_plane(Plane *plane, int rows);
void planar_free_plane(Plane *plane);

#define MESSAGE 200 // bytes; libjpeg's own bound

// Fault is the first thing that libjpeg could not make sense of, be it an error or a warning.
typedef struct {
  int code; // libjpeg's number of the message
  int row;  // of the stored picture, near which it was met
  char text[MESSAGE];
} Fault;

extern const int planar_no_memory; // the code of what is no fault of the file

typedef struct Decoder Decoder;

typedef struct {
  int width, height, channels;
  size_t coefficients; // bytes of them that are held, if the picture comes in several scans
  const char *declined; // why the picture is not one for this package, or NULL
} Header;

typedef enum { MORE, AGAIN, DONE, FAILED } Progress;

Decoder *planar_new_decoder(void);
void planar_free_decoder(Decoder *decoder);
void planar_stop_decoder(Decoder *decoder);
Progress planar_read_header(Decoder *decoder, const unsigned char *data, size_t size, size_t *used, Header *header);
Progress planar_choose_shrink(Decoder *decoder, int shrink, size_t *bytes);
Progress planar_decode(Decoder *decoder, const unsigned char *data, size_t size, size_t *used);
const Fault *planar_decoder_fault(const Decoder *decoder);
void planar_take_planes(Decoder *decoder, Plane planes[3]);

typedef struct zimg_filter_graph Graph;

Graph *planar_new_graph(int width, int height, double left, double top, double across, double down, int to_width, int to_height);
void planar_free_graph(Graph *graph);
int planar_resample(const Graph *graph, const Plane *from, Plane *to);
void planar_turn(const Plane *from, Plane *to, int mirror_x, int mirror_y, int transpose);
void planar_fill(const Plane *plane, unsigned char level);
void planar_put(const Plane *from, Plane *to, int left, int top, unsigned char around);
void planar_to_rgb(const Plane planes[3], int width, int height, unsigned char *to);

// Picture is what is encoded: planes, chroma of half as many samples in both directions; or interleaved, and in one plane.
typedef struct {
  Plane planes[3];
  int width, height, channels, interleaved;
} Picture;

// Huffman codes, as a JPEG defines them: how many there are of each length, from 1 on, and their symbols in turn.
typedef struct {
  unsigned char counts[17], symbols[256];
} Codes;

// Those for DC coefficients of luma, of chroma, and those for AC coefficients.
#define DC 0
#define AC 2
#define TABLES 4

int planar_rows(const Picture *picture);
int planar_sample(const Picture *from, int rows, Picture *to);
int planar_encode(const Picture *picture, int quality, Codes tables[TABLES], int known, unsigned char **file, unsigned long *size, Fault *fault);
