#pragma once
// Where heads sink: alpha of one key by layer and head, and above which keys any head sinks at all.
#include "views/figure/heatmap.h"

namespace vitrine::figure {

/// The key is the selection's. Heads with alpha above epsilon carry a mark; keys that fewer than eight
/// queries see are hatched, since their alpha says little, and the alpha of an even spread stands beside.
class SinkMap : public Picture {
public:
    static constexpr int fewest_queries = 8;

    /// `alpha` layer × head × key, row-major; `uniform` by key (may be empty); `tokens` as shown.
    SinkMap(int layers, int heads, int keys, std::vector<double> alpha, std::vector<double> uniform,
            QStringList tokens, const Theme& theme);

    double epsilon = 0.3;
    bool difference = false; ///< A − B: nothing sinks, zero is in the middle
    QString said_in_place;

    void choose_key(int key);
    int key() const { return key_; }
    bool hatched(int key) const { return keys_ - key < fewest_queries; }
    bool sinks(int layer, int head, int key) const;
    /// Heads that sink at a key.
    int count(int key) const;

    QSizeF preferred_size(const Theme& theme) const override;
    bool grows() const override { return true; }
    double least_growth() const override { return 0.5; }
    void paint(QPainter& painter, const QRectF& in, const Theme& theme) const override;
    void paint_marks(QPainter& painter, const QRectF& in, const Theme& theme,
                     const std::optional<QPointF>& pointer) const override;
    QString describe(const QPointF& at, const QRectF& in, const Theme& theme) const override;
    Spot spot_at(const QPointF& at, const QRectF& in, const Theme& theme) const override;
    void select(const Spot& here) override;
    bool follows_selection() const override { return true; }
    QString csv() const override;

private:
    struct Places {
        QRectF map, strip;
    };
    Places places(const QRectF& in) const;
    double at(int layer, int head, int key) const;
    void set_scale(const Theme& theme);
    QString token(int key) const;

    int layers_, heads_, keys_, key_ = 0;
    std::vector<double> alpha_, uniform_;
    QStringList tokens_;
    Heatmap map_;   ///< layer × head, of the key
    Heatmap strip_; ///< layer × key, the largest head
};

} // namespace vitrine::figure
