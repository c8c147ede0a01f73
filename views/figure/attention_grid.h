#pragma once
// Every head's attention at a glance: layer × head thumbnails on one colour scale.
#include "views/figure/matrix.h"
#include "views/figure/picture.h"

namespace vitrine::figure {

class AttentionGrid : public Picture {
public:
    int layers = 0;
    int heads = 0;
    std::vector<Matrix> patterns;         ///< [layers · heads], tokens × tokens
    std::vector<std::vector<bool>> sinks; ///< [layers · heads], sink columns of each
    std::vector<double> opacity;          ///< [layers · heads]; empty: all 1
    std::vector<QString> notes;           ///< [layers · heads] for the line under the pointer; may be empty
    ColourScale scale;
    bool causal = true;
    bool sinks_out = false;
    bool merged = false;      ///< one column that stands for all heads
    std::vector<bool> in_set; ///< [layers · heads] heads put together by hand; may be empty
    QString title;
    QString said_in_place; ///< if not empty, these words stand where the thumbnails would
    int selected_layer = -1, selected_head = -1;
    int second_layer = -1, second_head = -1; ///< the place to compare with

    struct Layout {
        QRectF cells, bar;
        double side = 0; ///< of a thumbnail, without its gap
        double step = 0;
        bool flat = false; ///< the colour bar lies beneath, which leaves wide thumbnails more room
    };
    Layout layout(const QRectF& in, const Theme& theme) const;
    /// Head (x) and layer (y) at a point.
    std::optional<QPoint> head_at(const QPointF& at, const QRectF& in, const Theme& theme) const;

    QSizeF preferred_size(const Theme& theme) const override;
    void paint(QPainter& painter, const QRectF& in, const Theme& theme) const override;
    void paint_marks(QPainter& painter, const QRectF& in, const Theme& theme,
                     const std::optional<QPointF>& pointer) const override;
    QString describe(const QPointF& at, const QRectF& in, const Theme& theme) const override;
    Spot spot_at(const QPointF& at, const QRectF& in, const Theme& theme) const override;
    bool grows() const override { return true; }
    double least_growth() const override { return 0.35; }
    void select(const Spot& here) override {
        selected_layer = here.layer;
        selected_head = merged ? 0 : here.head;
    }
    /// layer, head, query, key, attention: every drawn cell.
    QString csv() const override;

private:
    std::size_t index(int layer, int head) const {
        return static_cast<std::size_t>(layer) * static_cast<std::size_t>(heads) +
               static_cast<std::size_t>(head);
    }
    QRectF thumbnail(const Layout& laid, int layer, int head) const {
        return {laid.cells.left() + head * laid.step, laid.cells.top() + layer * laid.step, laid.side,
                laid.side};
    }
    bool has_sinks() const;
};

} // namespace vitrine::figure
