#version 460
// out[n, h, :] = Σ_j pattern[h, i, j] · v_j.
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_GOOGLE_include_directive : require
#include "attention.glsl"

#ifdef SHARED
layout(binding = 0) readonly buffer A { vec4 a_data[]; };
layout(binding = 1) readonly buffer B { vec4 b_data[]; };
#else
layout(binding = 0) uniform textureBuffer a_texels;
layout(binding = 1) uniform textureBuffer b_texels;
#endif
layout(binding = 2) readonly buffer Rows { Row rows[]; };
layout(binding = 3) writeonly buffer C { vec4 c_data[]; };

layout(push_constant) uniform Push {
    uint heads;      // of this dispatch
    uint head_begin; // the first of them
    uint all_heads;
    uint group; // query heads that share a value head
    uint d4;
    uint window;
    uint causal; // keys that the mask hides have no weight
};

#ifdef SHARED
#include "tile_shared.glsl"
#else
#include "tile_registers.glsl"
#endif

#define STORE(r) \
    if (r0 + r < row.queries) c_data[c + r * all_heads * d4] = acc[r][j];

void main() {
    const Row row = rows[gl_WorkGroupID.z / heads];
    const uint local_head = gl_WorkGroupID.z % heads;
    const uint head = head_begin + local_head;
    const bool inside = tile_row() < row.queries;
    uint low = 0;
    uint high = row.pitch;
    if (causal != 0) {
        const uint q = row.past + tile_row() + 1;
        low = (window != 0 && q > window ? q - window : 0) / 4;
        high = (row.past + min(tile_row() + TILE_ROWS_ALL, row.queries) + 3) / 4;
    }
    tile_multiply(row.pattern_base + local_head * row.pair_head + tile_row() * row.pitch + low, row.pitch,
                  row.queries - min(tile_row(), row.queries - 1) - 1,
                  row.v_base + head / group * row.v_head + gl_WorkGroupID.x * TILE_PANELS * row.v_panel +
                      low * 4 * LANES,
                  row.v_panel, inside ? high - low : 0);
    if (!inside) return;
    const uint r0 = tile_row() + tile_local_row();
    [[unroll]] for (uint j = 0; j < TILE_COLUMNS; ++j) {
        const uint column = tile_column(j);
        if (column < d4) {
            const uint c = ((row.start + r0) * all_heads + head) * d4 + column;
            EACH_ROW(STORE)
        }
    }
}
