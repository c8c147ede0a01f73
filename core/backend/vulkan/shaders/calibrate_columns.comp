#version 460
// Which columns of a pattern are sinks: one invocation a key and head, the mean over the queries that see it.
layout(local_size_x = 64) in;

layout(binding = 0) readonly buffer Pattern { float pattern[]; };
layout(binding = 1) writeonly buffer Sinks { uint is_sink[]; }; // [heads][keys]

layout(push_constant) uniform Push {
    uint base; // of the first head's first element
    uint queries;
    uint keys;
    uint pos_step;
    uint head_step;
    uint begin, end; // queries that are changed; not read here
    float beta;
    float threshold;
};

void main() {
    const uint key = gl_GlobalInvocationID.x;
    if (key >= keys) return;
    const uint past = keys - queries;
    const uint from = key > past ? key - past : 0;
    float sum = 0;
    for (uint q = from; q < queries; ++q) sum += pattern[base + gl_WorkGroupID.y * head_step + q * pos_step + key];
    is_sink[gl_WorkGroupID.y * keys + key] = sum / float(queries - from) > threshold ? 1 : 0;
}
