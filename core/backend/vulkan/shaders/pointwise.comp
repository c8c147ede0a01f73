#version 460
// out = f(in), element by element.
#extension GL_GOOGLE_include_directive : require
#include "grid.glsl"
#include "math.glsl"

layout(constant_id = 0) const uint kind = 0; // as run::PointwiseKind: scale, clamp, cap
layout(binding = 0) uniform textureBuffer x_texels;
layout(binding = 1) writeonly buffer Out { vec4 o[]; };
layout(push_constant) uniform Push {
    uint items;
    float by;
};

void main() {
    const uint i = item();
    if (i >= items) return;
    const vec4 x = texelFetch(x_texels, int(i));
    if (kind == 0)
        o[i] = x * by;
    else if (kind == 1)
        o[i] = clamp(x, vec4(-by), vec4(by));
    else
        o[i] = capped(x, by);
}
