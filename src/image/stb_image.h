/* SPDX-License-Identifier: MIT */
/* stb_image without unused formats, at most 32,768 pixels per side, and stb_image_resize. Private
   to image.c. */
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
