#pragma once
// Eigen under a namespace of this vector width: two copies of one of its templates, compiled for different
// processors, must not meet in the linker.
#define EIGEN_DONT_PARALLELIZE
#define Eigen VITRINE_EIGEN
#include <Eigen/Core>
