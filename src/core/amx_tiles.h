/* core/amx_tiles.h: the one tile configuration of the AMX kernels: eight tiles of 64-byte rows.
 *
 * Tiles 0..3 hold sums, 4 and 5 inputs, 6 and 7 weights (always 16 rows). `rows` (1 to 32) of inputs: 4, 0 and 1 have the first
 * 16 at most; 5, 2 and 3 the rest, or as many again where there is none. Kernels that use whole tiles ask for 16.
 */
#ifndef SNC_CORE_AMX_TILES_H
#define SNC_CORE_AMX_TILES_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

__attribute__((target("amx-tile"))) static inline void snc_amx__configure(int rows)
{
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } c;
    uint8_t hi = (uint8_t)(rows < 16 ? rows : 16), lo = (uint8_t)(rows > 16 ? rows - 16 : hi);
    memset(&c, 0, sizeof c);
    c.palette = 1;
    for (int i = 0; i < 8; i++) {
        c.row_bytes[i] = 64;
        c.rows[i] = i >= 6 ? 16 : (i == 2 || i == 3 || i == 5) ? lo : hi;
    }
    __asm__ volatile("" ::"m"(c)); /* the instruction reads all of it, the intrinsic claims eight bytes */
    _tile_loadconfig(&c);
}

#endif
