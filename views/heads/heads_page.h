#pragma once
#include <QWidget>

#include "core/base/json.h"
#include "views/analyses/prompt_set_box.h"
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
    QString file() const { return rows_box_->file(); } ///< of prompts, for Rows::file
    /// Sets of prompts that can be chosen.
    void show_sets(const std::vector<PromptSet>& sets);
    /// The rows of a file from now on.
    void use_file(const QString& file);
    /// Of scatter and map, as parameters of the analysis: {"x", "y"}.
    Json values() const;
    void choose_metric(const QString& name);
    void choose_axes(const QString& x, const QString& y);
    void choose_rows(Rows rows);

    void show_results(Results results, const Json& provenance, const QString& command);
    /// Without a button of its own the sentence gets one where repeated random ids are the way out.
    void refuse(const QString& sentence, const QString& again = {});
    bool has_results() const { return !results_.empty(); }

    QWidget* controls() { return controls_; }
    void take_controls();
    FigureCanvas* map_canvas() { return map_; }
    FigureCanvas* scatter_canvas() { return scatter_; }
    FigureCanvas* table_canvas() { return table_->canvas(); }

    Json state() const;
    void restore(const Json& state);

signals:
    void wanted();       ///< other rows are wanted
    void again_wanted(); ///< the same once more
    void state_changed();

private:
    void build_controls();
    void redraw();
    FigureSource source_of(const QString& name) const;

    Desk& desk_;
    Results results_;
    Json provenance_;
    QString command_;
    QWidget* controls_;
    QComboBox* metric_box_;
    PromptSetBox* rows_box_;
    QComboBox* x_box_;
    QComboBox* y_box_;
    QStackedWidget* place_;
    QSplitter* across_;
    FigureCanvas* map_;
    FigureCanvas* scatter_;
    FigureScroll* table_;
    EmptyState* empty_;
    bool again_ = false; ///< what the button of `empty_` means
    int sorted_by_ = -1; ///< column of the table
};

} // namespace vitrine::views
