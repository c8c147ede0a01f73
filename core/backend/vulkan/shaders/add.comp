#version 460
#extension GL_GOOGLE_include_directive : require
#include "grid.glsl"

layout(binding = 0) uniform textureBuffer a;
layout(binding = 1) uniform textureBuffer b;
layout(binding = 2) writeonly buffer Out { vec4 o[]; };
layout(push_constant) uniform Push { uint items; };

void main() {
    const uint i = item();
    if (i < items) o[i] = texelFetch(a, int(i)) + texelFetch(b, int(i));
}
