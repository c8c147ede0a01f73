// One invocation an item of a flat array; the host lays work-groups out along x, then y.
layout(local_size_x = 256) in;
uint item() { return (gl_WorkGroupID.y * 32768u + gl_WorkGroupID.x) * 256u + gl_LocalInvocationIndex; }
