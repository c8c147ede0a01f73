#version 460
// C = A · B + bias, or C = A · B, for one or several matrices along z.
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_GOOGLE_include_directive : require

#ifdef SHARED
layout(binding = 0) readonly buffer A { vec4 a_data[]; };
layout(binding = 1) readonly buffer B { vec4 b_data[]; };
#else
layout(binding = 0) uniform textureBuffer a_texels;
layout(binding = 1) uniform textureBuffer b_texels;
#endif
layout(binding = 2) uniform textureBuffer bias;
layout(binding = 3) writeonly buffer C { vec4 c_data[]; };

layout(push_constant) uniform Push {
    uint k4;       // K / 4
    uint rows;     // of A and C
    uint columns4; // vec4 columns of C
    uint a_row;    // vec4s between rows
    uint c_row;
    uint b_panel; // vec4s between panels of B
    uint a_z;     // vec4s between the matrices along z
    uint b_z;
    uint c_z;
    uint bias_z;
    uint has_bias;
};

#ifdef SHARED
#include "tile_shared.glsl"
#else
#include "tile_registers.glsl"
#endif

#define STORE(r) \
    if (row + r < rows) c_data[c + r * c_row] = acc[r][j] + b;

void main() {
    const uint z = gl_WorkGroupID.z;
    tile_multiply(z * a_z + tile_row() * a_row, a_row, rows - 1 - tile_row(),
                  z * b_z + gl_WorkGroupID.x * TILE_PANELS * b_panel, b_panel, k4);
    const uint row = tile_row() + tile_local_row();
    [[unroll]] for (uint j = 0; j < TILE_COLUMNS; ++j) {
        const uint column = tile_column(j);
        if (column < columns4) {
            const vec4 b = has_bias != 0 ? texelFetch(bias, int(z * bias_z + column)) : vec4(0);
            const uint c = z * c_z + row * c_row + column;
            EACH_ROW(STORE)
        }
    }
}
