#pragma once
#include <QWidget>

#include "core/base/json.h"
#include "views/attention/attention_pictures.h"
#include "views/attention/large_head.h"
#include "views/shared/empty_state.h"
#include "views/shared/figure_canvas.h"

class QCheckBox;
class QComboBox;
class QSplitter;
class QStackedWidget;

namespace vitrine::views {

/// Layer × head thumbnails, and one head large. What is no part of a run (scores, value-weighted attention,
/// rollout) it asks for.
class AttentionPage : public QWidget {
    Q_OBJECT

public:
    explicit AttentionPage(Desk& desk, QWidget* parent = nullptr);

    const AttentionOptions& options() const { return options_; }
    /// Arrangement and options, as a session remembers them.
    Json state() const;
    void restore(const Json& state);
    FigureCanvas* grid_canvas() { return grid_canvas_; }
    FigureCanvas* head_canvas() { return head_canvas_; }
    /// The controls, for whoever has a better place for them than a line of their own: beside the tabs.
    QWidget* controls() { return controls_; }
    /// Puts them above the picture (again).
    void take_controls();
    /// The facts of the shown run, for the inspector.
    const AttentionData& data() const { return data_; }
    /// Only the large head, or both.
    void show_grid(bool on);
    bool grid_shown() const { return grid_wanted_; }
    /// Shows another measure, as its control does.
    void choose(Measure measure);
    /// What an analysis gave for what the desk shows now, and the command that gives the same.
    void show_measured(const std::vector<engine::ResultValue>& results, const QString& command);
    /// Why it gave nothing.
    void refuse_measure(const QString& sentence);
    bool arcs() const;
    /// More heads of the shown run, a long one, were read for their thumbnails, or lengths of its values.
    void show_briefs();
    /// Whether the picture of the selected head is complete, at the resolution that its pixels need.
    bool settled() const;

signals:
    void state_changed();
    void measure_wanted(); ///< show_measured() or refuse_measure() is waited for
    void briefs_wanted();  ///< thumbnails of a long run, of data().store; show_briefs() is waited for
    void arcs_changed(bool on);
    void controls_changed(); ///< one came or went: they need another width
    void example_wanted();   ///< there is nothing to show, and the user pressed the button that mends it

protected:
    void showEvent(QShowEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    void build_controls();
    void arrange();
    void run_changed();
    void take_data(AttentionData data);
    void redraw();
    void redraw_grid();
    void redraw_head();
    bool fill_long_head(figure::Heatmap& map);
    void show_head(std::shared_ptr<figure::Heatmap> map);
    void head_opened();
    void head_refused(const QString& sentence);
    bool is_long() const { return data_.store && data_.said_in_place.isEmpty(); }
    void mark_grid();
    void selection_changed();
    void way_out();

    Desk& desk_;
    AttentionOptions options_;
    AttentionData data_;
    QString command_; ///< of the measure shown
    std::shared_ptr<figure::AttentionGrid> grid_;
    std::shared_ptr<figure::Heatmap> head_;
    bool grid_wanted_ = true;
    double grid_share_ = 0.4; ///< of the width
    HeadOpener* opener_;
    std::shared_ptr<LargeHead> large_; ///< the head of a long run that is shown

    QWidget* controls_;
    QComboBox* measure_box_;
    QComboBox* heads_box_;
    QComboBox* scale_box_;
    QComboBox* dots_box_;
    QCheckBox* sinks_box_;
    QCheckBox* arcs_box_;
    QSplitter* splitter_;
    FigureCanvas* grid_canvas_;
    FigureCanvas* head_canvas_;
    QStackedWidget* place_;
    EmptyState* empty_;
};

} // namespace vitrine::views
