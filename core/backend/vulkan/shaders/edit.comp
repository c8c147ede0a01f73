#version 460
// Element-wise edits in place, one entry along y: set, scale, add, mask.
#extension GL_GOOGLE_include_directive : require
#include "edit.glsl"
#include "math.glsl"
layout(local_size_x = 256) in;

layout(binding = 0) readonly buffer Entries { Entry entries[]; };
layout(binding = 1) readonly buffer Tensors { float tensors[]; };
layout(binding = 2) buffer Value { float x[]; };
layout(push_constant) uniform Push { uint first; };

void main() {
    const Entry entry = entries[first + gl_WorkGroupID.y];
    const uint i = gl_WorkGroupID.x * 256 + gl_LocalInvocationIndex;
    if (i >= entry.positions * entry.heads * entry.channels) return;
    const uint c = i % entry.channels;
    const uint h = i / entry.channels % entry.heads;
    const uint p = i / entry.channels / entry.heads;
    const uint at = entry.base + p * entry.pos_step + h * entry.head_step + c;
    float t = 1;
    if (entry.has_tensor != 0)
        t = tensors[entry.tensor + p * entry.tensor_pos + h * entry.tensor_head + c * entry.tensor_channel];
    float y;
    if (entry.kind == 0)
        y = entry.has_tensor != 0 ? t : entry.scalar;
    else if (entry.kind == 1)
        y = x[at] * entry.scalar;
    else if (entry.kind == 2)
        y = x[at] + entry.scalar * t;
    else
        y = -infinity;
    x[at] = y;
}
