#pragma once
// What a view gives away besides its picture.
#include <QString>
#include <functional>
#include <vector>

#include "core/base/json.h"
#include "core/engine/results.h"

namespace vitrine::views {

struct FigureSource {
    QString name;    ///< of exported files: "attention-L3H5"
    QString topic;   ///< of the help that explains the view
    QString meaning; ///< what its values are, in one sentence
    QString command; ///< the command line that gives the same numbers; of A − B one line for each
    Json provenance;
    /// The numbers as typed results, for NPZ, CSV and HDF5; empty: the view has none.
    std::function<std::vector<engine::ResultValue>()> results;
    QString why_no_results; ///< in a sentence, where there would be too many
};

/// `command` as a Python program that reads its JSON.
QString as_python(const QString& command);
/// Text as one word of a POSIX shell.
QString shell_word(const QString& text);

} // namespace vitrine::views
