#version 460
// out = in · weight + bias, by channel.
#extension GL_GOOGLE_include_directive : require
#include "grid.glsl"

layout(binding = 0) uniform textureBuffer x;
layout(binding = 1) uniform textureBuffer weight;
layout(binding = 2) uniform textureBuffer bias;
layout(binding = 3) writeonly buffer Out { vec4 o[]; };
layout(push_constant) uniform Push {
    uint items;
    uint head;
    uint has_weight;
    uint has_bias;
};

void main() {
    const uint i = item();
    if (i >= items) return;
    precise vec4 v = texelFetch(x, int(i));
    if (has_weight != 0) v *= texelFetch(weight, int(i % head));
    if (has_bias != 0) v += texelFetch(bias, int(i % head));
    o[i] = v;
}
