#pragma once
// Pictures and numbers of any view as files.
#include <filesystem>
#include <functional>

#include "app/window/bench.h"
#include "views/shared/figure_canvas.h"

namespace vitrine::window {

/// Whether a file's suffix asks for numbers (.csv, .npz, .h5) and not for a picture.
bool is_data_file(const std::filesystem::path& file);

/// Writes the canvas' picture; `view`: the state of the window, so that dropping the file shows it again.
Status write_picture(const views::FigureCanvas& canvas, const std::filesystem::path& file, const Json& view);

/// Asks for a file and writes it: pictures at once, numbers as a job, since a long text has many. `say` is
/// told in one sentence how it went.
void export_with_dialog(QWidget* parent, Bench& bench, views::FigureCanvas* canvas, const Json& view,
                        const std::function<void(const QString&)>& say);

/// Writes the canvas' numbers as a job.
void write_numbers(Bench& bench, views::FigureCanvas* canvas, const std::filesystem::path& file,
                   const std::function<void(const QString&)>& say);

} // namespace vitrine::window
