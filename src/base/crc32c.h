/* SPDX-License-Identifier: MIT */
/* CRC-32C (Castagnoli), the checksum of iSCSI (RFC 3720, B.4) and of TensorFlow's records. */
#ifndef DL_BASE_CRC32C_H
#define DL_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t dl_crc32c(const void *bytes, size_t count);

#endif
