#pragma once
#include <QWidget>

#include "core/base/json.h"
#include "views/heads/head_pictures.h"
#include "views/shared/empty_state.h"
#include "views/shared/figure_scroll.h"

class QComboBox;
class QSplitter;
class QStackedWidget;

namespace vitrine::views {

/// What each head does: one metric as a map over layers and heads, all heads between two metrics, and a table
/// of all metrics that sorts by a click on a column's name.
class HeadsPage : public QWidget {
    Q_OBJECT

public:
    enum class Rows { prompt, random, file };

    explicit HeadsPage(Desk& desk, QWidget* parent = nullptr);

    Rows rows() const;
    const QString& file() const { return file_; } ///< of prompts, for Rows::file
    /// The rows of a file from now on.
    void use_file(const QString& file);
    /// Of scatter and map, as parameters of the analysis: {"x", "y"}.
    Json values() const;
    void choose_metric(const QString& name);
    void choose_axes(const QString& x, const QString& y);
    void choose_rows(Rows rows);

    void show_results(Results results, const Json& provenance, const QString& command);
    void refuse(const QString& sentence);
    bool has_results() const { return !results_.empty(); }

    QWidget* controls() { return controls_; }
    void take_controls();
    FigureCanvas* map_canvas() { return map_; }
    FigureCanvas* scatter_canvas() { return scatter_; }
    FigureCanvas* table_canvas() { return table_->canvas(); }

    Json state() const;
    void restore(const Json& state);

signals:
    void wanted(); ///< other rows are wanted
    void state_changed();

private:
    void build_controls();
    void choose_file();
    void redraw();
    FigureSource source_of(const QString& name) const;

    Desk& desk_;
    Results results_;
    Json provenance_;
    QString command_;
    QString file_;
    QWidget* controls_;
    QComboBox* metric_box_;
    QComboBox* rows_box_;
    QComboBox* x_box_;
    QComboBox* y_box_;
    QStackedWidget* place_;
    QSplitter* across_;
    FigureCanvas* map_;
    FigureCanvas* scatter_;
    FigureScroll* table_;
    EmptyState* empty_;
    int sorted_by_ = -1; ///< column of the table
};

} // namespace vitrine::views
