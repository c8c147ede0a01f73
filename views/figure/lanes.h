#pragma once
// What a model's numbers do while it writes: lanes over the same steps, one under another.
#include <QStringList>
#include <vector>

#include "views/figure/picture.h"

namespace vitrine::figure {

/// Up to six runs over one ruler of tokens. Each lane has a scale and a unit of its own; one crosshair goes
/// through all of them.
class Lanes : public Picture {
public:
    struct Run {
        QString name;
        QStringList tokens; ///< as pictures show them
        std::vector<int> ids;
        int first = 0; ///< position of the first token in its text
    };
    enum class Stroke { solid, dashed };
    struct Line {
        QString name; ///< within the lane; empty where there is one only
        Stroke stroke = Stroke::solid;
        std::vector<std::vector<double>> values; ///< by run, by step; NaN leaves a gap
    };
    struct Lane {
        QString title, unit;
        std::vector<Line> lines;
        std::optional<double> threshold; ///< drawn as a line
        std::optional<double> low, high; ///< of the scale, where they are known
        bool stepped = false;            ///< whole numbers, such as layers
    };
    static constexpr int most_runs = 6;

    QString title;
    QString said; ///< how runs are aligned, where they part; may be empty
    std::vector<Run> runs;
    std::vector<Lane> lanes;
    std::vector<std::vector<bool>> shaded; ///< by run, by step: where the signal to switch is on
    int parting = -1;                      ///< first step at which the runs have different tokens
    bool linked = true;                    ///< positions are those of the text that is shown
    int selected = -1;                     ///< step; follows the selection where it is linked

    std::size_t steps() const;
    /// The step under a point, −1 where there is none.
    int step_at(const QPointF& at, const QRectF& in, const Theme& theme) const;

    QSizeF preferred_size(const Theme& theme) const override;
    double narrowest_width(const Theme&) const override { return 360; }
    double least_growth() const override { return 0.5; }
    bool grows() const override { return true; }
    void paint(QPainter& painter, const QRectF& in, const Theme& theme) const override;
    void paint_marks(QPainter& painter, const QRectF& in, const Theme& theme,
                     const std::optional<QPointF>& pointer) const override;
    QString describe(const QPointF& at, const QRectF& in, const Theme& theme) const override;
    /// The query that the token under the pointer was drawn at.
    Spot spot_at(const QPointF& at, const QRectF& in, const Theme& theme) const override;
    void select(const Spot& here) override;
    bool zoom(double factor, const QPointF& at, const QRectF& in, const Theme& theme) override;
    bool pan(const QPointF& by, const QRectF& in, const Theme& theme) override;
    void fit() override { seen_ = first_ = 0; }
    QString csv() const override;

private:
    struct Layout {
        QRectF plot; ///< all lanes
        double lane = 0, slot = 0, ruler = 0;
        double first = 0, seen = 1; ///< steps
        int every = 1;              ///< so many steps a label
    };
    struct Scale {
        double low = 0, high = 1;
    };
    Layout layout(const QRectF& in, const Theme& theme) const;
    QRectF lane_box(const Layout& laid, std::size_t at) const;
    double longest() const; ///< pixels of a token on the ruler
    Scale scale_of(const Lane& lane) const;
    double x_of(const Layout& laid, std::size_t step) const;
    void paint_lane(QPainter& painter, const QRectF& in, const Layout& laid, std::size_t at,
                    const Theme& theme) const;
    void paint_ruler(QPainter& painter, const Layout& laid, const Theme& theme) const;
    void paint_legend(QPainter& painter, const QRectF& in, const Theme& theme) const;
    QString token_of(std::size_t run, std::size_t step) const;

    double first_ = 0, seen_ = 0; ///< steps in sight; 0: all of them
};

} // namespace vitrine::figure
