#version 460
// Columns of a matrix in the file's element type → panels of float32 (matmul.h), one invocation 32 elements of a
// column. Every step is rounded to float32 as in core/base/quantized_blocks.h, which says what the bytes mean.
#extension GL_EXT_control_flow_attributes : require
#extension GL_GOOGLE_include_directive : require
#include "grid.glsl"

layout(binding = 0) readonly buffer Source { uint words[]; };
layout(binding = 1) writeonly buffer Out { float o[]; };

layout(push_constant) uniform Push {
    uint items;         // units · columns
    uint columns;       // of o, from `first` on
    uint first;         // column of the padded matrix that o begins with
    uint sources;       // columns of the weight
    uint out_width;     // columns of a head, and what they are padded to
    uint out_pitch;
    uint rows;          // elements of a column of the weight
    uint in_width;
    uint in_pitch;
    uint k;             // rows of o
    uint column_words;  // 32-bit words between columns of the source
    uint first_source;  // column that the source begins with
    uint panel;         // columns of a panel
};

uint column_base; // byte of the source where the column begins
uint to;          // element of o where the column's panel begins

/// Two bytes; every address that blocks call for is even.
uint pair_at(uint at) { return words[at >> 2] >> ((at & 2) * 8) & 0xFFFF; }
uint byte_at(uint at) { return words[at >> 2] >> ((at & 3) * 8) & 0xFF; }
int signed_byte(uint byte) { return bitfieldExtract(int(byte), 0, 8); }

float half_of(uint bits) {
    const uint exponent = bits >> 10 & 31;
    const uint mantissa = bits & 1023;
    const float sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
    if (exponent == 0) return sign * (float(mantissa) * (1.0 / 16777216.0)); // mantissa · 2^−24
    return uintBitsToFloat((bits & 0x8000) << 16 | (exponent + 112) << 23 | mantissa << 13);
}
float half_at(uint at) { return half_of(pair_at(at)); }

float scaled(float scale, int q) {
    precise const float product = scale * float(q);
    return product;
}
float plus(float scale, int q, float offset) {
    precise const float product = scale * float(q);
    precise const float sum = product + offset;
    return sum;
}

/// Writes an element of the column, and zeros behind the last one of a head.
void put(uint r, float x) {
    uint place = r;
    uint at = r;
    if (in_width != rows) {
        const uint head = r / in_width;
        place = r - head * in_width;
        at = head * in_pitch + place;
    }
    o[to + at * panel] = x;
    if (place + 1 == in_width)
        for (uint gap = 1; gap <= in_pitch - in_width; ++gap) o[to + (at + gap) * panel] = 0.0;
}

#if TYPE <= 1 // float16, bfloat16
float wide(uint bits) { return TYPE == 0 ? half_of(bits) : uintBitsToFloat(bits << 16); }

void widen(uint unit) {
    for (uint r = 32 * unit; r < min(32 * unit + 32, rows); ++r) put(r, wide(pair_at(column_base + 2 * r)));
}
#elif TYPE <= 5 // Q4_0, Q4_1, Q5_0, Q5_1
const uint sizes[4] = uint[](18, 20, 22, 24);
const bool has_offset = TYPE == 3 || TYPE == 5;
const bool has_fifth_bit = TYPE >= 4;

void widen(uint unit) {
    const uint block = column_base + sizes[TYPE - 2] * unit;
    const float scale = half_at(block);
    const float offset = has_offset ? half_at(block + 2) : 0.0;
    const uint high = block + (has_offset ? 4 : 2);
    const uint bits = has_fifth_bit ? pair_at(high) | pair_at(high + 2) << 16 : 0;
    const uint low = high + (has_fifth_bit ? 4 : 0);
    for (uint j = 0; j < 16; j += 2) {
        const uint bytes = pair_at(low + j);
        [[unroll]] for (uint e = 0; e < 4; ++e) { // elements j, j + 1, j + 16, j + 17
            const uint i = j + e % 2 + e / 2 * 16;
            const int q = int((bytes >> (e % 2 * 8 + e / 2 * 4) & 15) | (bits >> i & 1) << 4);
            put(32 * unit + i, has_offset ? plus(scale, q, offset) : scaled(scale, q - (has_fifth_bit ? 16 : 8)));
        }
    }
}
#elif TYPE == 6 // Q8_0
void widen(uint unit) {
    const uint block = column_base + 34 * unit;
    const float scale = half_at(block);
    for (uint j = 0; j < 32; j += 2) {
        const uint bytes = pair_at(block + 2 + j);
        put(32 * unit + j, scaled(scale, signed_byte(bytes)));
        put(32 * unit + j + 1, scaled(scale, signed_byte(bytes >> 8)));
    }
}
#elif TYPE == 7 // Q2_K
void widen(uint unit) {
    const uint block = column_base + 84 * (unit / 8);
    const uint part = unit % 8; // of 32 elements, with two scales
    const uint packed = pair_at(block + 2 * part);
    const float d = half_at(block + 80);
    const float dmin = half_at(block + 82);
    for (uint h = 0; h < 2; ++h) {
        const uint both = packed >> (8 * h);
        const float scale = scaled(d, int(both & 15));
        const float minimum = scaled(dmin, int(both >> 4 & 15));
        for (uint j = 16 * h; j < 16 * h + 16; j += 2) {
            const uint bytes = pair_at(block + 16 + part / 4 * 32 + j) >> (part % 4 * 2);
            put(32 * unit + j, plus(scale, int(bytes & 3), -minimum));
            put(32 * unit + j + 1, plus(scale, int(bytes >> 8 & 3), -minimum));
        }
    }
}
#elif TYPE == 8 // Q3_K
void widen(uint unit) {
    const uint block = column_base + 110 * (unit / 8);
    const uint part = unit % 8;
    const uint low = part < 4 ? pair_at(block + 96 + 2 * part) & 0x0F0F : pair_at(block + 88 + 2 * part) >> 4 & 0x0F0F;
    const uint high = pair_at(block + 104 + 2 * part % 4) >> (part / 2 * 2) & 0x0303;
    const float d = half_at(block + 108);
    for (uint h = 0; h < 2; ++h) {
        const uint six_bits = (low | high << 4) >> (8 * h) & 63;
        const float scale = scaled(d, int(six_bits) - 32);
        for (uint j = 16 * h; j < 16 * h + 16; j += 2) {
            const uint bytes = pair_at(block + 32 + part / 4 * 32 + j) >> (part % 4 * 2);
            const uint set = pair_at(block + j) >> part;
            put(32 * unit + j, scaled(scale, int(bytes & 3) - ((set & 1) != 0 ? 0 : 4)));
            put(32 * unit + j + 1, scaled(scale, int(bytes >> 8 & 3) - ((set >> 8 & 1) != 0 ? 0 : 4)));
        }
    }
}
#elif TYPE == 9 || TYPE == 10 // Q4_K, Q5_K
void widen(uint unit) {
    const uint block = column_base + (TYPE == 9 ? 144 : 176) * (unit / 8);
    const uint part = unit % 8;
    const uint packed = block + 4;
    uint six_bits, six_bits_min;
    if (part < 4) {
        six_bits = byte_at(packed + part) & 63;
        six_bits_min = byte_at(packed + part + 4) & 63;
    } else {
        six_bits = (byte_at(packed + part + 4) & 15) | byte_at(packed + part - 4) >> 6 << 4;
        six_bits_min = byte_at(packed + part + 4) >> 4 | byte_at(packed + part) >> 6 << 4;
    }
    const float scale = scaled(half_at(block), int(six_bits));
    const float minimum = scaled(half_at(block + 2), int(six_bits_min));
    const uint low = block + (TYPE == 9 ? 16 : 48) + part / 2 * 32;
    for (uint j = 0; j < 32; j += 2) {
        uint q = pair_at(low + j) >> (part % 2 * 4) & 0x0F0F;
        if (TYPE == 10) q |= (pair_at(block + 16 + j) >> part & 0x0101) << 4;
        put(32 * unit + j, plus(scale, int(q & 0xFF), -minimum));
        put(32 * unit + j + 1, plus(scale, int(q >> 8), -minimum));
    }
}
#elif TYPE == 11 // Q6_K
void widen(uint unit) {
    const uint block = column_base + 210 * (unit / 8);
    const uint part = unit % 8;
    const uint packed = pair_at(block + 192 + 2 * part);
    const float d = half_at(block + 208);
    for (uint h = 0; h < 2; ++h) {
        const float scale = scaled(d, signed_byte(packed >> (8 * h)));
        for (uint j = 16 * h; j < 16 * h + 16; j += 2) {
            const uint low = pair_at(block + part / 4 * 64 + part % 2 * 32 + j) >> (part / 2 % 2 * 4) & 0x0F0F;
            const uint top = pair_at(block + 128 + part / 4 * 32 + j) >> (part % 4 * 2) & 0x0303;
            const uint q = low | top << 4;
            put(32 * unit + j, scaled(scale, int(q & 0xFF) - 32));
            put(32 * unit + j + 1, scaled(scale, int(q >> 8) - 32));
        }
    }
}
#endif

void main() {
    const uint n = item();
    if (n >= items) return;
    const uint column = n % columns;
    const uint padded = first + column;
    const uint in_head = padded % out_pitch;
    const uint source = padded / out_pitch * out_width + in_head;
    to = column / panel * panel * k + column % panel;
    const uint unit = n / columns;
    if (in_head < out_width && source < sources) {
        column_base = (source - first_source) * column_words * 4;
        widen(unit);
    } else { // a column that pads
        for (uint r = 32 * unit; r < min(32 * unit + 32, rows); ++r) put(r, 0.0);
    }
}
