#version 460
// out[i, h] = in[rows[i]] for every h: Select, Repeat.
#extension GL_GOOGLE_include_directive : require
#include "grid.glsl"

layout(binding = 0) uniform textureBuffer x;
layout(binding = 1) readonly buffer Rows { uint rows[]; };
layout(binding = 2) writeonly buffer Out { vec4 o[]; };
layout(push_constant) uniform Push {
    uint items;
    uint row;    // vec4s of a row of in
    uint repeat; // copies of each row
    uint mapped; // rows[] is used
};

void main() {
    const uint i = item();
    if (i >= items) return;
    const uint n = i / (row * repeat);
    const uint from = mapped != 0 ? rows[n] : n;
    o[i] = texelFetch(x, int(from * row + i % row));
}
