#version 460
// Takes from all sinks of a row but the first and gives to its other keys; one subgroup a query and head.
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require
layout(local_size_x_id = 0) in;
layout(constant_id = 0) const uint lanes = 32;

layout(binding = 0) buffer Pattern { float pattern[]; };
layout(binding = 1) readonly buffer Sinks { uint is_sink[]; }; // [heads][keys], the first included

layout(push_constant) uniform Push {
    uint base;
    uint queries;
    uint keys;
    uint pos_step;
    uint head_step;
    uint begin, end; // queries that are changed
    float beta;
    float threshold;
};

void main() {
    const uint query = begin + gl_WorkGroupID.x;
    const uint head = gl_WorkGroupID.y;
    if (query >= end) return;
    const uint row = base + head * head_step + query * pos_step;
    uint first = keys; // it keeps what it has, and takes of what is freed
    for (uint key = gl_SubgroupInvocationID; key < keys; key += lanes)
        if (is_sink[head * keys + key] != 0) {
            first = key;
            break;
        }
    first = subgroupMin(first);
    float sinks = 0, others = 0;
    for (uint key = gl_SubgroupInvocationID; key < keys; key += lanes) {
        const float weight = pattern[row + key];
        if (is_sink[head * keys + key] != 0 && key != first)
            sinks += weight;
        else
            others += weight;
    }
    sinks = subgroupAdd(sinks);
    others = subgroupAdd(others);
    if (sinks == 0 || others == 0) return;
    const float growth = 1 + (1 - beta) * sinks / others;
    for (uint key = gl_SubgroupInvocationID; key < keys; key += lanes)
        pattern[row + key] *= is_sink[head * keys + key] != 0 && key != first ? beta : growth;
}
