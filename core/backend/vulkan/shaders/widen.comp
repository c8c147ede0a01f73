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

uint base; // byte of the source where the column begins

uint byte_at(uint at) { return (words[at >> 2] >> ((at & 3) * 8)) & 0xFF; }
int signed_byte(uint at) { return bitfieldExtract(int(byte_at(at)), 0, 8); }
uint two_bytes(uint at) { return byte_at(at) | byte_at(at + 1) << 8; }

float half_of(uint bits) {
    const uint exponent = bits >> 10 & 31;
    const uint mantissa = bits & 1023;
    const float sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
    if (exponent == 0) return sign * (float(mantissa) * (1.0 / 16777216.0)); // mantissa · 2^−24
    return uintBitsToFloat((bits & 0x8000) << 16 | (exponent + 112) << 23 | mantissa << 13);
}
float half_at(uint at) { return half_of(two_bytes(at)); }

float scaled(float scale, int q) {
    precise const float product = scale * float(q);
    return product;
}
float plus(float scale, int q, float offset) {
    precise const float product = scale * float(q);
    precise const float sum = product + offset;
    return sum;
}

#if TYPE == 0 // float16
float element(uint unit, uint i) { return half_at(base + 2 * (32 * unit + i)); }
#elif TYPE == 1 // bfloat16
float element(uint unit, uint i) { return uintBitsToFloat(two_bytes(base + 2 * (32 * unit + i)) << 16); }
#elif TYPE == 2 // Q4_0
float element(uint unit, uint i) {
    const uint block = base + 18 * unit;
    const uint q = byte_at(block + 2 + i % 16) >> (i / 16 * 4) & 15;
    return scaled(half_at(block), int(q) - 8);
}
#elif TYPE == 3 // Q4_1
float element(uint unit, uint i) {
    const uint block = base + 20 * unit;
    const uint q = byte_at(block + 4 + i % 16) >> (i / 16 * 4) & 15;
    return plus(half_at(block), int(q), half_at(block + 2));
}
#elif TYPE == 4 // Q5_0
float element(uint unit, uint i) {
    const uint block = base + 22 * unit;
    const uint low = byte_at(block + 6 + i % 16) >> (i / 16 * 4) & 15;
    const uint high = byte_at(block + 2 + i / 8) >> (i % 8) & 1;
    return scaled(half_at(block), int(low | high << 4) - 16);
}
#elif TYPE == 5 // Q5_1
float element(uint unit, uint i) {
    const uint block = base + 24 * unit;
    const uint low = byte_at(block + 8 + i % 16) >> (i / 16 * 4) & 15;
    const uint high = byte_at(block + 4 + i / 8) >> (i % 8) & 1;
    return plus(half_at(block), int(low | high << 4), half_at(block + 2));
}
#elif TYPE == 6 // Q8_0
float element(uint unit, uint i) {
    const uint block = base + 34 * unit;
    return scaled(half_at(block), signed_byte(block + 2 + i));
}
#elif TYPE == 7 // Q2_K
float element(uint unit, uint i) {
    const uint block = base + 84 * (unit / 8);
    const uint part = 2 * (unit % 8) + i / 16; // of 16 elements
    const uint packed = byte_at(block + part);
    const float scale = scaled(half_at(block + 80), int(packed & 15));
    const float minimum = scaled(half_at(block + 82), int(packed >> 4));
    const uint q = byte_at(block + 16 + part / 8 * 32 + part % 2 * 16 + i % 16) >> (part / 2 % 4 * 2) & 3;
    return plus(scale, int(q), -minimum);
}
#elif TYPE == 8 // Q3_K
float element(uint unit, uint i) {
    const uint block = base + 110 * (unit / 8);
    const uint part = 2 * (unit % 8) + i / 16;
    const uint low = part < 8 ? byte_at(block + 96 + part) & 15 : byte_at(block + 96 + part - 8) >> 4;
    const uint high = byte_at(block + 104 + part % 4) >> (part / 4 * 2) & 3;
    const float scale = scaled(half_at(block + 108), int(low | high << 4) - 32);
    const uint q = byte_at(block + 32 + part / 8 * 32 + part % 2 * 16 + i % 16) >> (part / 2 % 4 * 2) & 3;
    const uint set = byte_at(block + part % 2 * 16 + i % 16) >> (part / 2) & 1;
    return scaled(scale, int(q) - (set != 0 ? 0 : 4));
}
#elif TYPE == 9 || TYPE == 10 // Q4_K, Q5_K
float element(uint unit, uint i) {
    const uint block = base + (TYPE == 9 ? 144 : 176) * (unit / 8);
    const uint part = unit % 8; // of 32 elements
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
    uint q = byte_at(block + (TYPE == 9 ? 16 : 48) + part / 2 * 32 + i) >> (part % 2 * 4) & 15;
    if (TYPE == 10) q |= (byte_at(block + 16 + i) >> part & 1) << 4;
    return plus(scale, int(q), -minimum);
}
#elif TYPE == 11 // Q6_K
float element(uint unit, uint i) {
    const uint block = base + 210 * (unit / 8);
    const uint part = 2 * (unit % 8) + i / 16;
    const float scale = scaled(half_at(block + 208), signed_byte(block + 192 + part));
    const uint low = byte_at(block + part / 8 * 64 + part % 4 * 16 + i % 16) >> (part / 4 % 2 * 4) & 15;
    const uint top = byte_at(block + 128 + part / 8 * 32 + part % 2 * 16 + i % 16) >> (part / 2 % 4 * 2) & 3;
    return scaled(scale, int(low | top << 4) - 32);
}
#endif

void main() {
    const uint n = item();
    if (n >= items) return;
    const uint column = n % columns;
    const uint unit = n / columns;
    const uint padded = first + column;
    const uint in_head = padded % out_pitch;
    const uint source = padded / out_pitch * out_width + in_head;
    const bool real = in_head < out_width && source < sources;
    base = (source - first_source) * column_words * 4;
    const uint to = column / panel * panel * k + column % panel;
    for (uint i = 0; i < 32; ++i) {
        const uint r = 32 * unit + i;
        if (r >= rows) return;
        const uint head = r / in_width;
        const uint place = r - head * in_width;
        o[to + (head * in_pitch + place) * panel] = real ? element(unit, i) : 0.0;
        if (place + 1 == in_width)
            for (uint gap = in_width; gap < in_pitch; ++gap) o[to + (head * in_pitch + gap) * panel] = 0.0;
    }
}
