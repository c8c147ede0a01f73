#pragma once
// Which routine computes the products, and how that is decided.
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace vitrine::backend::cpu {

/// packed: our own register tiles over weights packed in panels. The others compute fixed panels of rows.
/// OpenBLAS is not among them: its bits depend on the number of rows.
enum class Routine { packed, eigen, onednn, blis };
inline constexpr Routine all_routines[] = {Routine::packed, Routine::eigen, Routine::onednn, Routine::blis};

std::string_view name_of(Routine routine);

/// One thread's rates, in GFLOP/s.
struct Rate {
    Routine routine = Routine::packed;
    double many_rows = 0; ///< 96 rows, as for a prompt
    double few_rows = 0;  ///< 16 rows, as while somebody types
};

/// The routine to use: the packed one, unless another is at least a tenth faster on many rows and not slower
/// on few. The margin keeps a noisy measurement from changing the bits of results between machines alike.
Routine choose(const std::vector<Rate>& rates);

/// Measures every routine that can be loaded here, in less than 0.3 s.
std::vector<Rate> measure();

/// This machine's routine: what was chosen at the first start, read from `file` (by processor), or measured
/// now and written there. A file that cannot be read or written is no error.
Routine remembered_routine(const std::filesystem::path& file);

/// $XDG_CACHE_HOME/vitrine/products.json, or the same in ~/.cache.
std::filesystem::path routine_file();

/// The processor's name as the system gives it, with the vector width used.
std::string processor_name();

} // namespace vitrine::backend::cpu
