#version 460
// Edits along a direction u in place, one subgroup a vector, one entry along y: project_out, cap.
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#extension GL_GOOGLE_include_directive : require
#include "edit.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 0) const uint lanes = 32;

layout(binding = 0) readonly buffer Entries { Entry entries[]; };
layout(binding = 1) readonly buffer Tensors { float tensors[]; };
layout(binding = 2) buffer Value { float x[]; };
layout(push_constant) uniform Push { uint first; };

void main() {
    const Entry entry = entries[first + gl_WorkGroupID.y];
    if (gl_WorkGroupID.x >= entry.positions * entry.heads) return;
    const uint h = gl_WorkGroupID.x % entry.heads;
    const uint p = gl_WorkGroupID.x / entry.heads;
    const uint at = entry.base + p * entry.pos_step + h * entry.head_step;
    float length2 = 0;
    float product = 0;
    for (uint c = gl_SubgroupInvocationID; c < entry.channels; c += lanes) {
        const float u = tensors[entry.tensor + c * entry.tensor_channel];
        length2 = fma(u, u, length2);
        product = fma(u, x[at + c], product);
    }
    length2 = subgroupAdd(length2);
    if (length2 == 0) return;
    const float along = subgroupAdd(product) / sqrt(length2); // x · u for u of length 1
    const float step = (entry.kind == 3 ? along : max(along - entry.scalar, 0.0)) / sqrt(length2);
    for (uint c = gl_SubgroupInvocationID; c < entry.channels; c += lanes)
        x[at + c] -= step * tensors[entry.tensor + c * entry.tensor_channel];
}
