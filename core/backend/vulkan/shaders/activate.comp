#version 460
// out = act(in), times factor where there is one.
#extension GL_GOOGLE_include_directive : require
#include "grid.glsl"
#include "math.glsl"

layout(constant_id = 0) const uint kind = 0; // as model::Activation: gelu, gelu_tanh, silu, relu, identity
layout(binding = 0) uniform textureBuffer x_texels;
layout(binding = 1) uniform textureBuffer factor;
layout(binding = 2) writeonly buffer Out { vec4 o[]; };
layout(push_constant) uniform Push {
    uint items;
    uint has_factor;
};

void main() {
    const uint i = item();
    if (i >= items) return;
    const vec4 x = texelFetch(x_texels, int(i));
    vec4 y;
    if (kind == 0)
        y = 0.5 * x * (1.0 + erf_exact(x * 0.70710678118654752));
    else if (kind == 1) // ½ x (1 + tanh u) = x / (1 + e^(−2u))
        y = x * sigmoid_exact(1.5957691216057308 * x * fma(x * x, vec4(0.044715), vec4(1.0)));
    else if (kind == 2)
        y = x * sigmoid_exact(x);
    else if (kind == 4)
        y = x;
    else
        y = mix(max(x, vec4(0.0)), x, isnan(x));
    o[i] = has_factor != 0 ? y * texelFetch(factor, int(i)) : y;
}
