/* The handlers of the messages API; each is one row of routes.c or more,
 * and stands in the file named after its subject (*_handler.c). */
#ifndef PARLANCE_MESSAGESAPI_HANDLERS_H
#define PARLANCE_MESSAGESAPI_HANDLERS_H

#include "http/exchange.h"

/* app_info_handler.c */
enum err welcome_get(struct exchange *x);
enum err parameters_get(struct exchange *x);
enum err info_get(struct exchange *x);
enum err meta_get(struct exchange *x);
enum err site_get(struct exchange *x);
/* What a chat app does not offer: completion, workflows, audio. */
enum err completion_post(struct exchange *x);
enum err workflow_post(struct exchange *x);
enum err audio_to_text_post(struct exchange *x);
enum err text_to_audio_post(struct exchange *x);

/* chat_messages_handler.c */
enum err chat_messages_post(struct exchange *x);
enum err chat_messages_stop(struct exchange *x);

/* messages_handler.c */
enum err messages_get(struct exchange *x);
enum err suggested_get(struct exchange *x);

/* conversations_handler.c */
enum err conversations_get(struct exchange *x);
enum err conversation_delete(struct exchange *x);
enum err conversation_name_post(struct exchange *x);
enum err variables_get(struct exchange *x);
enum err variable_put(struct exchange *x);

/* feedback_handler.c */
enum err feedback_post(struct exchange *x);
enum err app_feedbacks_get(struct exchange *x);

/* files_handler.c */
enum err files_upload(struct exchange *x);
enum err file_preview(struct exchange *x);

/* annotations_handler.c */
enum err annotations_get(struct exchange *x);
enum err annotations_post(struct exchange *x);
enum err annotation_put(struct exchange *x);
enum err annotation_delete(struct exchange *x);
enum err annotation_reply_post(struct exchange *x);
enum err annotation_reply_status(struct exchange *x);

/* end_users_handler.c */
enum err end_user_get(struct exchange *x);

/* datasets_handler.c */
enum err datasets_post(struct exchange *x);
enum err datasets_get(struct exchange *x);
enum err dataset_get(struct exchange *x);
enum err dataset_delete(struct exchange *x);
enum err dataset_retrieve(struct exchange *x);

/* dataset_documents_handler.c */
enum err document_by_text_post(struct exchange *x);
enum err document_by_file_post(struct exchange *x);
enum err documents_get(struct exchange *x);
enum err document_delete(struct exchange *x);
enum err indexing_status_get(struct exchange *x);
enum err segments_get(struct exchange *x);

#endif
