#version 460
// Writes values into panels [kv_heads][d_head / W][keys][W], behind the `past` keys that are there already, and
// zeros up to the next multiple of four keys.
#extension GL_GOOGLE_include_directive : require
#include "attention.glsl"
layout(local_size_x = 64) in;

layout(binding = 0) uniform textureBuffer v;
layout(binding = 1) readonly buffer Rows { Row rows[]; };
layout(binding = 2) writeonly buffer Panels { vec4 panels[]; };
layout(push_constant) uniform Push {
    uint kv_heads;
    uint d4;
    uint panel4; // vec4s across a panel
};

void main() {
    const Row row = rows[gl_WorkGroupID.z / kv_heads];
    const uint head = gl_WorkGroupID.z % kv_heads;
    const uint i = gl_WorkGroupID.x * 64 + gl_LocalInvocationIndex;
    const uint c = i % d4;
    const uint key = row.past + i / d4;
    if (key >= (row.keys + 3) / 4 * 4) return;
    vec4 x = vec4(0);
    if (key < row.keys) x = texelFetch(v, int(((row.start + key - row.past) * kv_heads + head) * d4 + c));
    panels[row.v_base + head * row.v_head + c / panel4 * row.v_panel + key * panel4 + c % panel4] = x;
}
