#version 460
// out[n] = sum over heads of in[n, h] + bias.
#extension GL_GOOGLE_include_directive : require
#include "grid.glsl"

layout(binding = 0) uniform textureBuffer x;
layout(binding = 1) uniform textureBuffer bias;
layout(binding = 2) writeonly buffer Out { vec4 o[]; };
layout(push_constant) uniform Push {
    uint items;
    uint row; // vec4s of a row of out
    uint heads;
    uint has_bias;
};

void main() {
    const uint i = item();
    if (i >= items) return;
    const uint c = i % row;
    int at = int(i / row * row * heads + c);
    vec4 sum = vec4(0);
    for (uint h = 0; h < heads; ++h) {
        sum += texelFetch(x, at);
        at += int(row);
    }
    o[i] = has_bias != 0 ? sum + texelFetch(bias, int(c)) : sum;
}
