#version 460
// Rotary position embedding: (a, b) → (a·cos − b·sin, b·cos + a·sin); cos and sin are given by token.
#extension GL_GOOGLE_include_directive : require
#include "grid.glsl"

layout(binding = 0) uniform textureBuffer x;
layout(binding = 1) uniform textureBuffer cosines;
layout(binding = 2) uniform textureBuffer sines;
layout(binding = 3) writeonly buffer Out { vec4 o[]; };
layout(push_constant) uniform Push {
    uint items;
    uint head; // vec4s of a head
    uint heads;
    uint dims;
    uint angles; // vec4s of a row of cosines
    uint interleaved;
};

void main() {
    const uint i = item();
    if (i >= items) return;
    const int base = int(i / head * head);
    const int angle = int(i / (head * heads) * angles);
    const vec4 own = texelFetch(x, int(i));
    vec4 y;
    for (uint e = 0; e < 4; ++e) {
        const uint c = 4 * (i % head) + e;
        const uint pair = interleaved != 0 ? c / 2 : c % (dims / 2);
        const bool first = interleaved != 0 ? c % 2 == 0 : c < dims / 2;
        const uint other = interleaved != 0 ? c ^ 1u : first ? c + dims / 2 : c - dims / 2;
        if (c >= dims) {
            y[e] = own[e];
            continue;
        }
        const float partner = texelFetch(x, base + int(other / 4))[other % 4];
        const float cosine = texelFetch(cosines, angle + int(pair / 4))[pair % 4];
        const float sine = texelFetch(sines, angle + int(pair / 4))[pair % 4];
        y[e] = own[e] * cosine + (first ? -partner : partner) * sine;
    }
    o[i] = y;
}
