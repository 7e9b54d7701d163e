/* interop/onnx_net.h: a net of a .snc as an ONNX graph, for whoever runs ONNX: its own widths in each layer, skipped halves left out.
 *
 *   input_ids, attention_mask, token_type_ids (where the family has types)   int64 [batch, sequence]
 *   logits                                                                   f32   [batch, classes]
 *
 * Padding stands behind the text, as positions count from 0 in each row. From the last attention on first tokens alone are computed.
 *
 * What becomes of INT8 and INT4 matrices (INT4's are expanded to bytes; F32 and BF16 ones are f32 in every form):
 *
 *   f32    their values
 *   int8   the file's integers, with a scale a column: DynamicQuantizeLinear, MatMulInteger. Activations have a scale a tensor and a zero
 *          point there, where this runtime has one a row and none: logits differ in the last places of INT8
 *   qdq    the file's integers behind DequantizeLinear; activations stay f32, as no static scale of them is known
 *
 * Rows of an INT8 table are looked up as integers and scaled, in int8 and qdq.
 */
#ifndef SNC_INTEROP_ONNX_NET_H
#define SNC_INTEROP_ONNX_NET_H

#include "interop/onnx_file.h"
#include "models/snc_file.h"

typedef enum snc_onnx_form { SNC_ONNX_FORM_F32, SNC_ONNX_FORM_INT8, SNC_ONNX_FORM_QDQ, SNC_ONNX_FORMS } snc_onnx_form;
const char *snc_onnx_form_name(int form); /* "f32"; NULL out of range */

/* Writes the net, a file of one or a view of one of several, to `path`; `most` as of snc_onnx_save. */
snc_err snc_onnx_net_save(const char *path, const snc_sncfile *net, snc_onnx_form form, int64_t most) SNC_MUST_USE;

#endif
