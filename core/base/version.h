#pragma once
namespace vitrine {

/// Of the program, "0.1.0".
const char* version();

} // namespace vitrine
