/* SPDX-License-Identifier: MIT */
/* stb_image, with what is not needed left out, and images of more than 32,768 pixels a side
   refused; and stb_image_resize. Private to src/data/image.c. */
#ifndef DL_IMAGE_STB_IMAGE_H
#define DL_IMAGE_STB_IMAGE_H

#define STBI_NO_STDIO
#define STBI_NO_HDR
#define STBI_NO_PSD
#define STBI_NO_PIC
#define STBI_NO_LINEAR
#define STBI_MAX_DIMENSIONS (1 << 15)
#include <stb/stb_image.h>
#include <stb/stb_image_resize.h>

#endif
